# For those who type make: everything is in ./dev.
.PHONY: all run test bench demo fmt lint build clean
all: build
run test bench demo fmt lint build clean:
	./dev $@
