#include "identity/identity_core.h"

#include "base/clock.h"
#include "base/random.h"
#include "platform/password.h"

enum status identity_user_unseal(struct identity_service *service, struct arena *arena, struct user *user)
{
	return identity_keys_unseal(&service->keys, user->id.uuid, user->sealed_email, arena, &user->email);
}

struct creation {
	const struct actor *actor;
	const struct user *user;
	const struct sha256 *email_hash;
	bool only_first; /* when there is no user yet */
	struct arena *arena;
	struct user stored;
	bool created;
};

static enum status creation_store(struct sql *sql, const struct creation *creation)
{
	const struct user *user = creation->user;
	struct writer values = writer_growing(creation->arena);
	struct json_writer json = { .out = &values };
	json_object_open(&json);
	json_key(&json, "roles");
	write_roles(&json, user->roles);
	json_key_text(&json, "status", user->status);
	json_object_close(&json);
	TRY(user_insert(sql, user, creation->email_hash));
	return identity_event_add(sql, creation->actor, user->created_at,
	        &(struct identity_event) {
	                .type = "user.created",
	                .entity_type = "user",
	                .ids = { { "user_id", ID_PREFIX_user, user->id.uuid } },
	                .new_values = writer_slice(&values),
	        });
}

static enum status creation_work(struct sql *sql, void *arg)
{
	struct creation *creation = arg;
	creation->created = false;
	if (creation->only_first) {
		bool exists;
		TRY(user_exists(sql, &exists));
		if (exists)
			return STATUS_OK;
	}
	enum status status = user_by_id(sql, creation->user->id, creation->arena, &creation->stored);
	if (status != ERR_NOT_FOUND)
		return status;
	status = user_by_email(sql, creation->email_hash, creation->arena, &creation->stored);
	if (status != ERR_NOT_FOUND)
		return status == STATUS_OK ? ERR_ALREADY_EXISTS : status;
	TRY(creation_store(sql, creation));
	creation->stored = *creation->user;
	creation->created = true;
	return STATUS_OK;
}

static enum status user_create(struct identity_service *service, const struct actor *actor,
        const struct user_draft *draft, bool is_first, struct arena *arena, struct creation *ret_creation,
        struct problem *problem)
{
	char hash[PASSWORD_HASH_MAX];
	struct sha256 email_hash;
	TRY(identity_email_check(&service->keys, draft->email, &email_hash, problem));
	TRY(identity_password_acceptable(draft->password, "password", problem));
	if (!draft->roles || draft->roles & ROLE_AGENT)
		return problem_set(problem, ERR_INVALID_FIELD, "roles", "A user is admin, auditor or both.");
	TRY(password_hash(draft->password, hash));
	const struct user user = {
		.id = draft->id,
		.sealed_email = identity_keys_seal(&service->keys, draft->id.uuid, draft->email, arena),
		.name = draft->name,
		.roles = draft->roles,
		.status = SLICE("active"),
		.password_hash = arena_copy(arena, slice_from(hash)),
		.must_change_password = is_first,
		.created_at = clock_now(),
	};
	struct creation creation = {
		.actor = actor,
		.user = &user,
		.email_hash = &email_hash,
		.only_first = is_first,
		.arena = arena,
	};
	enum status status = committer_run(service->committer, creation_work, &creation);
	if (status == ERR_ALREADY_EXISTS || status == ERR_DATABASE_CONSTRAINT)
		return problem_set(problem, ERR_ALREADY_EXISTS, "email", "Another user has this address.");
	TRY(status);
	*ret_creation = creation;
	return STATUS_OK;
}

enum status identity_user_create(struct identity_service *service, const struct actor *actor,
        const struct user_draft *draft, struct arena *arena, struct user *ret_user, struct problem *problem)
{
	struct creation creation;
	TRY(user_create(service, actor, draft, false, arena, &creation, problem));
	TRY(identity_user_unseal(service, arena, &creation.stored));
	*ret_user = creation.stored;
	return STATUS_OK;
}

enum status identity_user_get(
        struct identity_service *service, struct user_id id, struct arena *arena, struct user *ret_user)
{
	struct user user;
	TRY(IDENTITY_READ(service, user_by_id(sql, id, arena, &user)));
	TRY(identity_user_unseal(service, arena, &user));
	*ret_user = user;
	return STATUS_OK;
}

enum status identity_user_list(struct identity_service *service, const struct page *page, struct arena *arena,
        struct user **ret_users, size_t *ret_count)
{
	struct user *users;
	size_t count;
	TRY(IDENTITY_READ(service, user_list(sql, page, arena, &users, &count)));
	for (size_t i = 0; i < count; i++)
		TRY(identity_user_unseal(service, arena, &users[i]));
	*ret_users = users;
	*ret_count = count;
	return STATUS_OK;
}

/* 24 characters of base 32 without i, l, o and u, in groups of six: 120 random bits. */
static void write_one_time_password(struct writer *out)
{
	static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
	unsigned char random[24];
	random_bytes(random, sizeof random);
	for (size_t i = 0; i < sizeof random; i++) {
		if (i && i % 6 == 0)
			write_char(out, '-');
		write_char(out, alphabet[random[i] & 31]);
	}
	crypto_wipe(random, sizeof random);
}

enum status identity_bootstrap(
        struct identity_service *service, char ret_email[64], char ret_password[64], bool *ret_created)
{
	static const char email[] = "admin@localhost";
	char password[64] = { 0 };
	bool exists;
	ret_email[0] = ret_password[0] = '\0';
	*ret_created = false;
	TRY(IDENTITY_READ(service, user_exists(sql, &exists)));
	if (exists)
		return STATUS_OK;

	struct writer out = writer_fixed(password, sizeof password - 1);
	write_one_time_password(&out);
	struct arena arena = { 0 };
	struct creation creation = { .created = false };
	enum status status = user_create(service, &actor_system,
	        &(struct user_draft) {
	                .id = user_id_new(),
	                .email = slice_from(email),
	                .password = writer_slice(&out),
	                .name = SLICE("First administrator"),
	                .roles = ROLE_ADMIN,
	        },
	        true, &arena, &creation, NULL);
	if (status == STATUS_OK && creation.created) {
		memcpy(ret_email, email, sizeof email);
		memcpy(ret_password, password, sizeof password);
		*ret_created = true;
	}
	crypto_wipe(password, sizeof password);
	arena_clean_up(&arena);
	return status;
}
