/* SPDX-License-Identifier: ISC */
/*
 * The system's resolver has no call that does not wait, so threads do: a
 * bounded number, started as names come.  A question becomes its answer in
 * place and goes from one list to the other.
 */
#include <errno.h>
#include <locale.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "probes/cli/name-resolver.h"

#define STACK_BYTES (512u << 10)
#define NAME_MAX_LEN 255

struct question {
	struct question *next;
	uint64_t line;
	char name[];
};

struct name_answer {
	struct name_answer *next;
	struct resolver_answer *answer;
};

struct resolver {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct resolver_choice choice;
	struct question *first, **last; /* nobody has taken these up */
	struct name_answer *found_first, **found_last;
	size_t waiting, threads, idle;
	int fd;
	locale_t utf8; /* 0: names of ASCII only */
	bool ended;
};

int resolver_check_family(const struct addr *a, int family, struct errmsg *msg)
{
	if (family == 0 || a->family == family)
		return 0;
	return err_set(msg, ERR_NOT_FOUND, "expected an IPv%d address", family);
}

int resolver_check_name(const char *name, struct errmsg *msg)
{
	/* The resolver would read "1.2.3" as 1.2.0.3, another host's. */
	if (name[strspn(name, "0123456789.")] == '\0')
		return err_set(
		    msg, ERR_NOT_FOUND, "neither an address nor a name");
	bool strange = strlen(name) > NAME_MAX_LEN || strchr(name, '=');
	for (const char *c = name; *c; c++)
		strange = strange || (unsigned char)*c <= ' ' || *c == 0x7f;
	return strange ? err_set(msg, ERR_NOT_FOUND, "not a host name") : 0;
}

static bool is_ascii(const char *name)
{
	for (; *name; name++)
		if ((unsigned char)*name >= 0x80)
			return false;
	return true;
}

static void add_address(struct resolver_answer *answer, const struct addr *a)
{
	for (size_t i = 0; i < answer->count; i++)
		if (addr_equal(&answer->addresses[i], a))
			return;
	if (answer->count < RESOLVER_ADDRESSES)
		answer->addresses[answer->count++] = *a;
}

/* Those of the list that the choice wants, in the resolver's order. */
static void choose_address(struct resolver_answer *answer,
    const struct addrinfo *list, const struct resolver_choice *choice)
{
	bool seen[2] = { false, false };
	for (; list; list = list->ai_next) {
		const struct sockaddr_in *v4 = (const void *)list->ai_addr;
		const struct sockaddr_in6 *v6 = (const void *)list->ai_addr;
		bool six = list->ai_family == AF_INET6;
		struct addr a = six ? addr_from_bytes(&v6->sin6_addr, 16)
				    : addr_from_bytes(&v4->sin_addr, 4);
		if (!choice->all && (choice->both ? seen[six] : answer->count))
			continue;
		seen[six] = true;
		add_address(answer, &a);
	}
}

static void ask_system(struct resolver_answer *answer,
    const struct resolver_choice *choice, locale_t utf8)
{
	int family = choice->family;
	struct errmsg *msg = &answer->msg;
	struct addrinfo *found,
	    hints = {
		    .ai_family = family == 4 ? AF_INET
			: family == 6        ? AF_INET6
					     : AF_UNSPEC,
		    .ai_socktype = SOCK_DGRAM,
		    .ai_flags = family ? 0 : AI_ADDRCONFIG,
	    };
	/* Names of other scripts are looked up as UTF-8, whatever the user's
	 * locale is. */
	if (!is_ascii(answer->name)) {
		hints.ai_flags |= AI_IDN;
		if (utf8)
			uselocale(utf8);
	}
	int code = getaddrinfo(answer->name, NULL, &hints, &found);
	if (code == 0) {
		choose_address(answer, found, choice);
		freeaddrinfo(found);
	} else if (code == EAI_IDN_ENCODE) {
		answer->err = err_set(msg, ERR_NOT_FOUND,
		    "not a name in UTF-8, or libidn2 is not installed");
	} else if (family && (code == EAI_NODATA || code == EAI_ADDRFAMILY)) {
		answer->err = err_set(msg, ERR_NOT_FOUND,
		    "this name has no IPv%d address", family);
	} else {
		answer->err = err_set(msg,
		    code == EAI_AGAIN ? ERR_UNAVAILABLE : ERR_NOT_FOUND, "%s",
		    gai_strerror(code));
	}
}

void resolver_ask_network(const struct net_ops *net, void *net_ctx,
    const struct resolver_choice *choice, struct resolver_answer *answer)
{
	static const int each[] = { 4, 6 };
	bool several = choice->both || (choice->all && !choice->family);
	const int *families = several ? each : &choice->family;
	struct addr a;
	for (int i = 0; i < (several ? 2 : 1); i++)
		if (net->resolve(net_ctx, answer->name, families[i], &a) == 0)
			add_address(answer, &a);
	if (answer->count > 0)
		return;
	answer->err = ERR_NOT_FOUND;
	if (choice->family && net->resolve(net_ctx, answer->name, 0, &a) == 0)
		err_set(&answer->msg, answer->err,
		    "this node has no IPv%d address", choice->family);
	else
		err_set(
		    &answer->msg, answer->err, "no such node in this network");
}

static void give_answer(struct resolver *r, struct resolver_answer *answer)
{
	struct name_answer *f = xmalloc(sizeof(*f));
	*f = (struct name_answer){ NULL, answer };
	*r->found_last = f;
	r->found_last = &f->next;
	uint64_t one = 1;
	if (write(r->fd, &one, sizeof(one)) < 0)
		return; /* it is readable already */
}

/* Called with the lock; the last one out takes the house along. */
static void leave(struct resolver *r)
{
	bool last = --r->threads == 0 && r->ended;
	pthread_mutex_unlock(&r->lock);
	if (!last)
		return;
	for (struct question *q; (q = r->first); free(q))
		r->first = q->next;
	for (struct name_answer *f; (f = r->found_first); free(f)) {
		r->found_first = f->next;
		free(f->answer);
	}
	if (r->utf8)
		freelocale(r->utf8);
	close(r->fd);
	free(r);
}

static void *answer_questions(void *arg)
{
	struct resolver *r = arg;
	pthread_mutex_lock(&r->lock);
	while (!r->ended) {
		struct question *q = r->first;
		if (!q) {
			r->idle++;
			pthread_cond_wait(&r->more, &r->lock);
			r->idle--;
			continue;
		}
		r->first = q->next;
		if (!r->first)
			r->last = &r->first;
		pthread_mutex_unlock(&r->lock);
		struct resolver_answer *answer = xcalloc(1, sizeof(*answer));
		memcpy(answer->name, q->name, strlen(q->name) + 1);
		answer->line = q->line;
		free(q);
		ask_system(answer, &r->choice, r->utf8);
		pthread_mutex_lock(&r->lock);
		give_answer(r, answer);
	}
	uselocale(LC_GLOBAL_LOCALE);
	leave(r);
	return NULL;
}

struct resolver *resolver_new(const struct resolver_choice *choice)
{
	struct resolver *r = xcalloc(1, sizeof(*r));
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->more, NULL);
	r->choice = *choice;
	r->last = &r->first;
	r->found_last = &r->found_first;
	r->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	r->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->threads = 1; /* the caller */
	return r;
}

/* Signals are for the thread that reads records. */
static bool start_thread(struct resolver *r)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int err = pthread_create(&thread, &attr, answer_questions, r);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return err == 0;
}

bool resolver_ask(struct resolver *r, const char *name, uint64_t line)
{
	size_t len = strlen(name);
	struct question *q = NULL;
	pthread_mutex_lock(&r->lock);
	if (r->waiting >= RESOLVER_WAITING || len > NAME_MAX_LEN)
		goto out;
	/* One thread too few is slow; none at all would be for ever. */
	if (r->idle == 0 && r->threads - 1 < RESOLVER_THREADS) {
		if (start_thread(r))
			r->threads++;
		else if (r->threads == 1)
			goto out;
	}
	q = xmalloc(sizeof(*q) + len + 1);
	q->next = NULL;
	q->line = line;
	memcpy(q->name, name, len + 1);
	*r->last = q;
	r->last = &q->next;
	r->waiting++;
	pthread_cond_signal(&r->more);
out:
	pthread_mutex_unlock(&r->lock);
	return q;
}

size_t resolver_waiting(const struct resolver *r)
{
	return r->waiting; /* only the caller's thread changes it */
}

int resolver_fd(const struct resolver *r)
{
	return r->fd;
}

struct resolver_answer *resolver_take(struct resolver *r)
{
	struct resolver_answer *answer = NULL;
	uint64_t count;
	pthread_mutex_lock(&r->lock);
	struct name_answer *f = r->found_first;
	if (f) {
		answer = f->answer;
		r->found_first = f->next;
		if (!r->found_first)
			r->found_last = &r->found_first;
		r->waiting--;
		free(f);
	} else if (read(r->fd, &count, sizeof(count)) < 0) {
		/* it was not readable */
	}
	pthread_mutex_unlock(&r->lock);
	return answer;
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->ended = true;
	pthread_cond_broadcast(&r->more);
	leave(r);
}
