/* Which of our addresses a request of ours goes out from: by the way to its target, the kernel's word (RFC 3261 18.1.1, 8.1.1.8). */
#include "ctrlplane/sip/sip_state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include <sofia-sip/url.h>

/* A literal address in "1.2.3.4" or "[::1]"; false: a name, whose address only the resolver of the stack learns. */
static bool
address_of(struct sockaddr_storage *address, socklen_t *len, const char *host)
{
	struct sockaddr_in6 *ip6 = (void *)address;
	struct sockaddr_in *ip4 = (void *)address;
	char bare[INET6_ADDRSTRLEN + 2];

	memset(address, 0, sizeof(*address));
	snprintf(bare, sizeof(bare), "%s", host[0] == '[' ? host + 1 : host);
	bare[strcspn(bare, "]")] = '\0';
	if (inet_pton(AF_INET, bare, &ip4->sin_addr) == 1) {
		ip4->sin_family = AF_INET;
		ip4->sin_port = htons(5060);
		*len = sizeof(*ip4);
		return true;
	}
	if (inet_pton(AF_INET6, bare, &ip6->sin6_addr) != 1)
		return false;
	ip6->sin6_family = AF_INET6;
	ip6->sin6_port = htons(5060);
	*len = sizeof(*ip6);
	return true;
}

bool
cp_sip_address_towards(char host[64], const struct sockaddr *peer, socklen_t peer_len)
{
	struct sockaddr_storage own;
	socklen_t len = sizeof(own);
	char text[INET6_ADDRSTRLEN + 16];
	bool is_known = false;
	int fd = socket(peer->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	if (connect(fd, peer, peer_len) == 0 &&
	    getsockname(fd, (struct sockaddr *)&own, &len) == 0 &&
	    getnameinfo((struct sockaddr *)&own, len, text, sizeof(text), NULL, 0,
			NI_NUMERICHOST) == 0) {
		snprintf(host, 64, own.ss_family == AF_INET6 ? "[%s]" : "%s", text);
		is_known = true;
	}
	close(fd);
	return is_known;
}

static bool
can_carry(const struct cp_sip_listen *l, enum cp_sip_transport transport)
{
	switch (transport) {
	case CP_SIP_TLS:
		return l->has_tls;
	case CP_SIP_TCP:
		return l->has_tcp;
	default:
		return l->has_udp;
	}
}

/* How well an address of ours serves for a target; 0: not at all. */
static int
rank(const struct cp_sip_listen *l, const struct cp_sip_route *r, int family)
{
	int listen_family = *l->host == '[' ? AF_INET6 : *l->host ? AF_INET : 0;

	if (!can_carry(l, r->transport))
		return 0;
	if (*r->local && strcmp(l->host, r->local) == 0)
		return 4;
	if (!*l->host)
		return family == 0 || (family == AF_INET6) == l->is_any_ip6 ? 3 : 1;
	return family == 0 || family == listen_family ? 2 : 0;
}

static enum cp_sip_transport
transport_of(const url_t *url)
{
	char name[16] = "";

	if (url->url_params)
		url_param(url->url_params, "transport", name, sizeof(name));
	if (url->url_type == url_sips || strcasecmp(name, "tls") == 0)
		return CP_SIP_TLS;
	return strcasecmp(name, "tcp") == 0 ? CP_SIP_TCP : CP_SIP_UDP;
}

int
cp_sip_route(struct cp_sip_route *route, struct cp_sip *s, const char *target)
{
	const char *next = s->options->outbound_proxy ? s->options->outbound_proxy : target;
	su_home_t home[1] = {SU_HOME_INIT(home)};
	struct cp_sip_route made = {.listen = NULL};
	struct sockaddr_storage address;
	socklen_t len;
	int best = 0, family = 0;
	url_t *url;

	su_home_init(home);
	url = url_make(home, next);
	if (url && url->url_host && (url->url_type == url_sip || url->url_type == url_sips)) {
		made.transport = transport_of(url);
		if (address_of(&address, &len, url->url_host)) {
			family = address.ss_family;
			cp_sip_address_towards(made.local, (struct sockaddr *)&address, len);
		}
		for (size_t i = 0; i < s->listen_count; i++) {
			int good = rank(&s->listens[i], &made, family);

			if (good > best) {
				best = good;
				made.listen = &s->listens[i];
			}
		}
	}
	su_home_deinit(home);
	if (!made.listen)
		return -EADDRNOTAVAIL;
	*route = made;
	return 0;
}

const char *
cp_sip_transport_param(enum cp_sip_transport transport)
{
	return transport == CP_SIP_TLS	 ? ";transport=tls"
	       : transport == CP_SIP_TCP ? ";transport=tcp"
					 : "";
}
