#include "identity/identity_api.h"

static const unsigned roles_of[] = {
#define PERMISSION(name, roles) [PERMISSION_##name] = (roles),
#include "identity/permissions.def"
#undef PERMISSION
};

bool permission_allows(enum permission permission, unsigned roles)
{
	if (permission == PERMISSION_PUBLIC)
		return true;
	if ((unsigned)permission >= PERMISSION_COUNT)
		return false;
	return (roles_of[permission] & roles) != 0;
}
