// SPDX-License-Identifier: GPL-2.0-only
/* Users and what they may have. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "core.h"

static unsigned int user_devices = 256;
module_param(user_devices, uint, 0644);
MODULE_PARM_DESC(user_devices, "devices that one user can register (256)");

static unsigned int user_registrations = 16;
module_param(user_registrations, uint, 0644);
MODULE_PARM_DESC(user_registrations, "registrations a second of one user, after 16 times as many at once (16)");

#define BURST_SECONDS	16

static unsigned int user_readers = 1024;
module_param(user_readers, uint, 0644);
MODULE_PARM_DESC(user_readers, "readers that one user can have open (1024)");

static unsigned int user_holds = 256;
module_param(user_holds, uint, 0644);
MODULE_PARM_DESC(user_holds, "frames that one user can hold beyond one a reader (256)");

static unsigned int user_mb = 1024;
module_param(user_mb, uint, 0644);
MODULE_PARM_DESC(user_mb, "MiB of rings that one user can own, never more than half of total_mb (1024)");

static unsigned int total_devices = 32768;
module_param(total_devices, uint, 0644);
MODULE_PARM_DESC(total_devices, "devices that all can register (32768)");

static unsigned int total_readers = 65536;
module_param(total_readers, uint, 0644);
MODULE_PARM_DESC(total_readers, "readers that all can have open (65536)");

static unsigned int total_mb;
module_param(total_mb, uint, 0644);
MODULE_PARM_DESC(total_mb, "MiB of rings that all can own (a quarter of the memory)");

static LIST_HEAD(users);
static u64 total[DEVRING_QUOTAS];	/* of all users */
static DEFINE_SPINLOCK(users_lock);	/* covers both, and every struct devring_user */

/* What a quota is limited by, in units of BIT(@shift). */
static const struct {
	const unsigned int *user, *all;
	unsigned int shift;
} limits[] = {
	[DEVRING_QUOTA_DEVICES] = { &user_devices, &total_devices },
	[DEVRING_QUOTA_READERS] = { &user_readers, &total_readers },
	/* A reader has a few at most. */
	[DEVRING_QUOTA_HOLDS] = { &user_holds, NULL },
	[DEVRING_QUOTA_BYTES] = { &user_mb, &total_mb, 20 },
};

static u64 total_limit(enum devring_quota what)
{
	return limits[what].all ? (u64)READ_ONCE(*limits[what].all) << limits[what].shift : U64_MAX;
}

static u64 user_limit(enum devring_quota what)
{
	unsigned int limit = READ_ONCE(*limits[what].user);

	/* Nobody can have so much memory that others get none. */
	if (what == DEVRING_QUOTA_BYTES)
		limit = min(limit, READ_ONCE(total_mb) / 2);
	return (u64)limit << limits[what].shift;
}

/* Brings the tokens of @user up to date; true if he has all that he can have. */
static bool refill(struct devring_user *user)
{
	unsigned int max = READ_ONCE(user_registrations) * BURST_SECONDS;
	u64 due = (u64)(jiffies - user->counted) * READ_ONCE(user_registrations);

	lockdep_assert_held(&users_lock);
	if (due >= HZ) {
		user->tokens = min_t(u64, user->tokens + due / HZ, max);
		user->counted = jiffies;
	}
	return user->tokens >= max;
}

static struct devring_user *user_find(kuid_t uid)
{
	struct devring_user *user, *next, *found = NULL;

	lockdep_assert_held(&users_lock);
	list_for_each_entry_safe(user, next, &users, node) {
		if (uid_eq(user->uid, uid)) {
			found = user;
		} else if (!user->refs && refill(user)) {
			list_del(&user->node);
			kfree(user);
		}
	}
	return found;
}

/* The user of @uid with a reference; who is not there becomes @new, if that is not NULL. */
static struct devring_user *user_find_get(kuid_t uid, struct devring_user *new)
{
	struct devring_user *user;

	spin_lock(&users_lock);
	user = user_find(uid);
	if (!user && new) {
		user = new;
		user->uid = uid;
		user->tokens = READ_ONCE(user_registrations) * BURST_SECONDS;
		user->counted = jiffies;
		list_add(&user->node, &users);
	}
	if (user)
		user->refs++;
	spin_unlock(&users_lock);
	return user;
}

/* Returns the user of @uid with a reference, or NULL without memory. */
struct devring_user *devring_user_get(kuid_t uid)
{
	struct devring_user *user = user_find_get(uid, NULL), *new;

	if (user)
		return user;
	new = kzalloc(sizeof(*new), GFP_KERNEL);
	if (!new)
		return NULL;
	user = user_find_get(uid, new);
	if (user != new)
		kfree(new);
	return user;
}

/* Another reference for who has one. */
void devring_user_hold(struct devring_user *user)
{
	spin_lock(&users_lock);
	user->refs++;
	spin_unlock(&users_lock);
}

void devring_user_put(struct devring_user *user)
{
	if (!user)
		return;
	spin_lock(&users_lock);
	/* Who has used tokens stays, or he would get new ones by letting go of everything. */
	if (--user->refs || !refill(user))
		user = NULL;
	else
		list_del(&user->node);
	spin_unlock(&users_lock);
	kfree(user);
}

/* Counts a registration; -EAGAIN if @user makes too many in a short time. */
int devring_count_registration(struct devring_user *user)
{
	bool unlimited = ns_capable_noaudit(&init_user_ns, CAP_SYS_RESOURCE);
	int ret = 0;

	spin_lock(&users_lock);
	refill(user);
	if (user->tokens)
		user->tokens--;
	else if (!unlimited)
		ret = -EAGAIN;
	spin_unlock(&users_lock);
	return ret;
}

static bool fits(u64 used, u64 amount, u64 max)
{
	return used <= max && amount <= max - used;
}

/* Charges @amount to @user, whom the caller keeps alive until it is uncharged; -EDQUOT over a limit. */
int devring_charge(struct devring_user *user, enum devring_quota what, u64 amount)
{
	bool fits_user, fits_all, exempt;
	int ret = -EDQUOT;

	spin_lock(&users_lock);
	fits_user = fits(user->used[what], amount, user_limit(what));
	fits_all = fits(total[what], amount, total_limit(what));
	exempt = !(fits_user && fits_all) && ns_capable_noaudit(&init_user_ns, CAP_SYS_RESOURCE);
	/* Nobody's rings may take all memory. */
	if ((fits_user || exempt) && (fits_all || (exempt && what != DEVRING_QUOTA_BYTES))) {
		user->used[what] += amount;
		total[what] += amount;
		ret = 0;
	}
	spin_unlock(&users_lock);
	return ret;
}

void devring_uncharge(struct devring_user *user, enum devring_quota what, u64 amount)
{
	spin_lock(&users_lock);
	user->used[what] -= amount;
	total[what] -= amount;
	spin_unlock(&users_lock);
}

/* Fills in limits and what @uid has of them. */
void devring_user_info(kuid_t uid, struct devring_info *info)
{
	struct devring_user *user;

	info->user_devices_max = READ_ONCE(user_devices);
	info->user_readers_max = READ_ONCE(user_readers);
	info->user_holds_max = READ_ONCE(user_holds);
	info->total_bytes_max = total_limit(DEVRING_QUOTA_BYTES);
	info->user_bytes_max = user_limit(DEVRING_QUOTA_BYTES);

	spin_lock(&users_lock);
	user = user_find(uid);
	info->user_bytes = user ? user->used[DEVRING_QUOTA_BYTES] : 0;
	info->total_bytes = total[DEVRING_QUOTA_BYTES];
	spin_unlock(&users_lock);
}

void devring_user_init(void)
{
	if (!total_mb)
		total_mb = max(totalram_pages() >> (20 - PAGE_SHIFT) >> 2, 1UL);
}

void devring_user_exit(void)
{
	struct devring_user *user, *next;

	/* All rings are freed and all files closed by now: what is still counted was lost. */
	WARN_ON(memchr_inv(total, 0, sizeof(total)));
	list_for_each_entry_safe(user, next, &users, node) {
		WARN_ON(user->refs);
		kfree(user);
	}
}
