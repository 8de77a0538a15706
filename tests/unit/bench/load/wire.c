/* What the participant writes and reads: RTP, RTCP, SDP with keys, digest answers, its command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "bench/load/digest.h"
#include "bench/load/options.h"
#include "bench/load/rtp.h"
#include "bench/load/sdp.h"

static void
rtp_goes_round(void **state)
{
	uint8_t data[UE_RTP_HEADER + 4] = {0};
	struct ue_rtp_head in = {.pt = 101,
				 .has_marker = true,
				 .seq = 0xfffe,
				 .ts = 0x89abcdef,
				 .ssrc = 0x01020304},
			   out;

	ue_rtp_build(data, &in);
	assert_true(ue_rtp_parse(&out, data, sizeof(data)));
	assert_int_equal(out.pt, 101);
	assert_true(out.has_marker);
	assert_int_equal(out.seq, 0xfffe);
	assert_int_equal(out.ts, 0x89abcdef);
	assert_int_equal(out.ssrc, 0x01020304);
	assert_int_equal(out.payload_len, 4);
	assert_false(ue_rtp_is_rtcp(data, sizeof(data)));
}

/* CSRCs, an extension and padding, cut at every length: never beyond the packet. */
static void
rtp_cut_short(void **state)
{
	uint8_t whole[] = {0xb2, 0, 0, 1, 0,	0,    0, 2, 0, 0, 0, 3, 0, 0, 0, 4,
			   0,	 0, 0, 5, 0xbe, 0xde, 0, 1, 1, 2, 3, 4, 9, 9, 0, 2};
	struct ue_rtp_head h;

	assert_true(ue_rtp_parse(&h, whole, sizeof(whole)));
	assert_int_equal(h.header_len, 28);
	assert_int_equal(h.payload_len, 2);
	assert_int_equal(h.csrc_count, 2);
	for (size_t len = 0; len < sizeof(whole); len++) {
		uint8_t *copy = malloc(len ? len : 1);

		memcpy(copy, whole, len);
		if (ue_rtp_parse(&h, copy, len))
			assert_true(h.header_len + h.payload_len <= len);
		else
			assert_true(len < 28);
		free(copy);
	}
}

static bool
arrive(struct ue_rtp_rx *rx, uint16_t seq, uint64_t at_ms)
{
	struct ue_rtp_head h = {.seq = seq, .ts = seq * 160u, .ssrc = 7};

	return ue_rtp_rx_count(rx, &h, 172, at_ms * 1000000);
}

static void
loss_duplicates_order(void **state)
{
	struct ue_rtp_rx rx = {0};

	assert_true(arrive(&rx, 65534, 1000));
	assert_true(arrive(&rx, 65535, 1020));
	assert_true(arrive(&rx, 2, 1080)); /* 0 and 1 are missing */
	assert_int_equal(ue_rtp_rx_lost(&rx), 2);
	assert_true(arrive(&rx, 1, 1085));
	assert_false(arrive(&rx, 1, 1086));
	assert_int_equal(ue_rtp_rx_lost(&rx), 1);
	assert_int_equal(rx.reordered, 1);
	assert_int_equal(rx.duplicates, 1);
	assert_int_equal(rx.packets, 4);
	assert_int_equal(rx.gap_max_ns, 60000000);
	assert_int_equal(rx.ssrc_changes, 0);
	ue_rtp_rx_reset(&rx);
	assert_int_equal(ue_rtp_rx_lost(&rx), 0);
	assert_true(arrive(&rx, 3, 1100));
	assert_true(arrive(&rx, 5, 1140));
	assert_int_equal(ue_rtp_rx_lost(&rx), 1);
}

static void
another_source(void **state)
{
	struct ue_rtp_rx rx = {0};
	struct ue_rtp_head h = {.seq = 40000, .ssrc = 9};

	arrive(&rx, 10, 1000);
	arrive(&rx, 12, 1040);
	assert_true(ue_rtp_rx_count(&rx, &h, 172, 1060000000));
	assert_int_equal(rx.ssrc_changes, 1);
	assert_int_equal(ue_rtp_rx_lost(&rx), 1);
}

static void
jitter_of_a_steady_stream_is_none(void **state)
{
	struct ue_rtp_rx rx = {0};

	for (uint16_t i = 0; i < 200; i++)
		arrive(&rx, i, 1000 + 20u * i);
	assert_true(rx.jitter < 0.01);
	for (uint16_t i = 200; i < 1000; i++)
		arrive(&rx, i, 1000 + 20u * i + (i & 1) * 10); /* 10 ms to and fro: 80 samples */
	assert_true(rx.jitter > 70 && rx.jitter < 90);
}

static void
reports_go_round(void **state)
{
	struct ue_rtp_rx rx = {0};
	struct ue_rtcp_self self = {.ssrc = 7,
				    .is_sender = true,
				    .ntp = 0x1122334455667788,
				    .packets = 5,
				    .cname = "abc",
				    .is_bye = true};
	struct ue_rtcp_news news;
	uint8_t data[UE_RTCP_MAX];
	size_t len;

	arrive(&rx, 100, 1000);
	arrive(&rx, 103, 1060);
	len = ue_rtcp_build(data, &self, &rx);
	assert_int_equal(len % 4, 0);
	assert_true(ue_rtp_is_rtcp(data, len));
	ue_rtcp_parse(&news, data, len, 7); /* a report about 7, by 7: the test's shortcut */
	assert_true(news.is_valid && news.has_bye && news.has_sr && news.has_report);
	assert_int_equal(news.lost, 2);
	assert_int_equal(news.sr_mid, 0x33445566);
	/* The BYE ends the compound with the SSRC: another's is that of somebody who is mixed. */
	data[len - 1] ^= 1;
	ue_rtcp_parse(&news, data, len, 7);
	assert_true(news.is_valid && !news.has_bye);
	data[len - 1] ^= 1;
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1);

		memcpy(copy, data, cut);
		ue_rtcp_parse(&news, copy, cut, 7);
		assert_false(news.has_bye);
		free(copy);
	}
}

static void
sdp_goes_round(void **state)
{
	struct ue_sdp in = {.addr = "2001:db8::1",
			    .port = 40000,
			    .rtcp_port = 40007,
			    .is_secure = true,
			    .has_mux = true,
			    .dir = "sendonly",
			    .ptime = 30,
			    .codec_count = 2,
			    .codec = {DP_CODEC_L16, DP_CODEC_PCMA},
			    .pt = {96, 8},
			    .dtmf_pt = 101,
			    .key_count = UE_KEYS_MAX,
			    .version = 1,
			    .lifetime = "2^31"};
	struct ue_sdp out;
	char text[UE_SDP_MAX];
	size_t len;

	for (unsigned i = 0; i < UE_KEYS_MAX; i++) {
		assert_int_equal(ue_sdes_random(&in.key[i], DP_SUITE_NONE + 1 + i, i + 1), 0);
		in.key[i].mki = 258;
		in.key[i].mki_len = 2;
	}
	len = ue_sdp_write(text, &in);
	assert_true(len > 0);
	assert_int_equal(ue_sdp_read(&out, text, len), 0);
	assert_string_equal(out.addr, in.addr);
	assert_string_equal(out.dir, "sendonly");
	assert_int_equal(out.port, 40000);
	assert_int_equal(out.rtcp_port, 40007);
	assert_int_equal(out.ptime, 30);
	assert_true(out.is_secure && out.has_mux);
	assert_int_equal(out.dtmf_pt, 101);
	assert_int_equal(out.codec[0], DP_CODEC_L16);
	assert_int_equal(out.codec[1], DP_CODEC_PCMA);
	assert_int_equal(out.key_count, UE_KEYS_MAX);
	assert_memory_equal(out.key, in.key, sizeof(in.key));
	for (size_t cut = 0; cut < len; cut++) {
		char *copy = malloc(cut ? cut : 1);

		memcpy(copy, text, cut);
		(void)ue_sdp_read(&out, copy, cut);
		assert_true(out.key_count <= UE_KEYS_MAX && out.codec_count <= UE_CODECS_MAX);
		free(copy);
	}
}

static void
sdp_of_others(void **state)
{
	static const char text[] =
		"v=0\no=x 1 1 IN IP4 192.0.2.9\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\na=inactive\n"
		"m=video 0 RTP/AVP 31\na=ptime:40\nm=audio 5004 RTP/SAVPF 8 0 126\n"
		"a=rtpmap:126 telephone-event/8000\na=crypto:3 F8_128_HMAC_SHA1_80 inline:AAAA\n"
		"a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:AAAA\n";
	struct ue_sdp out;

	assert_int_equal(ue_sdp_read(&out, text, sizeof(text) - 1), 0);
	assert_string_equal(out.addr, "192.0.2.1");
	assert_string_equal(out.dir, "inactive");
	assert_int_equal(out.port, 5004);
	assert_int_equal(out.ptime, 20);
	assert_int_equal(out.codec[0], DP_CODEC_PCMA);
	assert_int_equal(out.codec[1], DP_CODEC_PCMU);
	assert_int_equal(out.dtmf_pt, 126);
	assert_int_equal(out.key_count, 0); /* an unknown suite, and a key that is too short */
	assert_true(ue_sdp_read(&out, "v=0\r\n", 5) < 0);
}

/* a=key-mgmt at either level, longer than any other line; another protocol and another m-line's are passed over. */
static void
sdp_with_mikey(void **state)
{
	char base64[3001], text[UE_SDP_MAX];
	struct ue_sdp in = {.addr = "192.0.2.1",
			    .port = 40000,
			    .is_secure = true,
			    .dir = "sendrecv",
			    .ptime = 20,
			    .mikey = base64,
			    .mikey_len = sizeof(base64) - 1};
	struct ue_sdp out;
	size_t len;

	memset(base64, 'A', sizeof(base64) - 1);
	base64[sizeof(base64) - 1] = '\0';
	for (unsigned level = 0; level < 2; level++) {
		in.is_mikey_at_session = level;
		len = ue_sdp_write(text, &in);
		assert_int_equal(ue_sdp_read(&out, text, len), 0);
		assert_int_equal(out.mikey_len, 3000);
		assert_memory_equal(out.mikey, base64, 3000);
		assert_int_equal(out.is_mikey_at_session, level);
	}
	snprintf(text, sizeof(text),
		 "v=0\nc=IN IP4 192.0.2.1\na=key-mgmt:mikey AAAA\nm=audio 5004 RTP/SAVP 0\n"
		 "a=key-mgmt:other BBBB\na=key-mgmt:mikey CCCC\nm=video 5006 RTP/SAVP 31\n"
		 "a=key-mgmt:mikey DDDD\n");
	assert_int_equal(ue_sdp_read(&out, text, strlen(text)), 0);
	assert_int_equal(out.mikey_len, 4);
	assert_memory_equal(out.mikey, "CCCC", 4);
	assert_false(out.is_mikey_at_session);
}

/* m-lines in their order, which MIKEY of the session counts; too many, or none of audio, is no description for us. */
static void
sdp_of_several_lines(void **state)
{
	static const char *const names[] = {"video", "plain", "audio", "message"};
	char base64[] = "AAAA", other[] = "BBBB", text[UE_SDP_MAX];
	struct ue_sdp in = {.addr = "192.0.2.1",
			    .port = 40000,
			    .is_secure = true,
			    .dir = "recvonly",
			    .ptime = 20,
			    .codec_count = 1,
			    .codec = {DP_CODEC_PCMU},
			    .line_count = 4,
			    .own = 2},
		      out;
	size_t len;

	for (unsigned i = 0; i < 4; i++)
		assert_true(ue_line_by_name(&in.line[i], names[i]));
	assert_int_equal(ue_sdp_cs_id(&in, in.own), 3);
	in.mikey = base64;
	in.mikey_len = 4;
	in.line[0].mikey = other;
	in.line[0].mikey_len = 4;
	assert_int_equal(ue_sdp_cs_id(&in, in.own), 1); /* the video has a message of its own */
	len = ue_sdp_write(text, &in);
	assert_int_equal(ue_sdp_read(&out, text, len), 0);
	assert_int_equal(out.line_count, 4);
	assert_int_equal(out.own, 2);
	assert_int_equal(out.port, 40000);
	assert_string_equal(out.dir, "recvonly");
	assert_memory_equal(out.mikey, "AAAA", 4);
	assert_memory_equal(out.line[0].mikey, "BBBB", 4);
	for (unsigned i = 0; i < 4; i++)
		assert_string_equal(out.line[i].media, in.line[i].media);
	assert_string_equal(out.line[3].proto, "TCP/TLS/MSRP");
	assert_string_equal(out.line[3].formats, "*");
	len = (size_t)snprintf(text, sizeof(text), "v=0\nc=IN IP4 192.0.2.1\n");
	for (unsigned i = 0; i <= UE_LINES_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "m=audio 9 RTP/SAVP 0\n");
	assert_true(ue_sdp_read(&out, text, len) < 0);
	assert_int_equal(ue_sdp_read(&out, text, len - strlen("m=audio 9 RTP/SAVP 0\n")), 0);
}

/* RFC 8856 section 9's answer, with a chat beside it; what stands at the session holds for both. */
static void
sdp_of_streams(void **state)
{
	static const char text[] =
		"v=0\r\nc=IN IP4 192.0.2.1\r\na=fingerprint:sha-256 4A:AD\r\n"
		"m=audio 50002 RTP/AVP 0\r\na=label:10\r\n"
		"m=application 50000 TCP/TLS/BFCP *\r\nc=IN IP6 2001:db8::1\r\na=setup:actpass\r\n"
		"a=connection:new\r\na=floorctrl:s-only\r\na=confid:4321\r\na=userid:1234\r\n"
		"a=floorid:1 mstrm:10\r\na=floorid:2 m-stream:11 12\r\na=bfcpver:1\r\n"
		"m=message 7394 TCP/TLS/MSRP *\r\na=accept-types:message/cpim\r\n"
		"a=path:msrps://client.example.com:7394/2s93i93idj;tcp\r\na=setup:passive\r\n"
		"a=chatroom:nickname private-messages\r\na=msrp-cema\r\na=max-size:9000000000\r\n";
	struct ue_sdp out, again;
	const struct ue_stream_sdp *floor = &out.stream[UE_FLOOR], *chat = &out.stream[UE_CHAT];
	char written[UE_SDP_MAX];
	size_t len;

	assert_int_equal(ue_sdp_read(&out, text, sizeof(text) - 1), 0);
	assert_true(floor->is_there && chat->is_there);
	assert_int_equal(floor->line, 1);
	assert_int_equal(chat->line, 2);
	assert_string_equal(floor->addr, "2001:db8::1");
	assert_string_equal(chat->addr, "192.0.2.1");
	assert_string_equal(floor->fingerprint, "sha-256 4A:AD");
	assert_string_equal(floor->setup, "actpass");
	assert_string_equal(floor->floorctrl, "s-only");
	assert_int_equal(floor->confid, 4321);
	assert_int_equal(floor->userid, 1234);
	assert_int_equal(floor->floor_count, 2);
	assert_int_equal(floor->floor[1].id, 2);
	assert_string_equal(floor->floor[0].streams, "10");
	assert_string_equal(floor->floor[1].streams, "11 12");
	assert_string_equal(chat->path, "msrps://client.example.com:7394/2s93i93idj;tcp");
	assert_true(chat->has_chatroom && chat->has_cema);
	assert_true(chat->max_size == 9000000000);
	assert_int_equal(out.line[2].port, 7394);
	len = ue_sdp_write(written, &out);
	assert_int_equal(ue_sdp_read(&again, written, len), 0);
	assert_string_equal(again.stream[UE_CHAT].path, chat->path);
	assert_string_equal(again.stream[UE_FLOOR].setup, "actpass");
	assert_string_equal(again.stream[UE_FLOOR].floorctrl, "c-only"); /* ours is the client */
	for (size_t cut = 0; cut < sizeof(text) - 1; cut++)
		(void)ue_sdp_read(&again, text, cut);
	assert_int_equal(ue_stream_of("message", "TCP/MSRP"), UE_CHAT);
	assert_int_equal(ue_stream_of("application", "UDP/BFCP"), UE_SERVICES);
}

/* RFC 7616 3.9.1 */
static void
digest_of_the_rfc(void **state)
{
	struct ue_challenge c = {.realm = "http-auth@example.org",
				 .nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
				 .opaque = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
				 .algorithm = "SHA-256",
				 .qop = "auth, auth-int"};
	const char *method_uri[2] = {"GET", "/dir/index.html"},
		   *who[2] = {"Mufasa", "Circle of Life"};
	const char *cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
	char out[1024];

	assert_int_equal(ue_digest_strength(&c), 2);
	assert_int_equal(ue_digest_answer(out, sizeof(out), &c, method_uri, who, cnonce), 0);
	assert_non_null(strstr(
		out,
		"response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\""));
	c.algorithm = "MD5";
	assert_int_equal(ue_digest_answer(out, sizeof(out), &c, method_uri, who, cnonce), 0);
	assert_non_null(strstr(out, "response=\"8ca523f5e9506fed4657c9700eebdbec\""));
	c.algorithm = "SHA-512-256";
	assert_int_equal(ue_digest_strength(&c), 0);
}

static int
options(struct ue_options *o, const char *line)
{
	static char copy[512];
	char *argv[32] = {"conclave-ue"};
	int argc = 1;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	return ue_options_read(o, argc, argv);
}

static void
command_lines(void **state)
{
	struct ue_options o;

	assert_int_equal(options(&o, "--suite all --tone 440,500 --rekey-at 5 --hold-at=2:sendonly "
				     "--loss 5 --no-bye sip:a@b"),
			 0);
	assert_int_equal(o.suite_count, 5);
	assert_int_equal(o.tone_count, 2);
	assert_int_equal(o.action_count, 2);
	assert_int_equal(o.action[0].kind, UE_HOLD);
	assert_string_equal(o.action[0].arg, "sendonly");
	assert_int_equal(o.action[1].kind, UE_REKEY);
	assert_true(o.loss > 0.049 && o.loss < 0.051);
	assert_false(o.has_bye);
	assert_int_equal(
		options(&o, "--kms http://k --psk-file f --mikey-set 128 --mikey-level session "
			    "--misbehave flip=12 --ticket-reuse sip:a@b"),
		0);
	assert_int_equal(o.mikey_set, 0);
	assert_true(o.is_mikey_at_session && o.reuses_tickets);
	assert_int_equal(o.misbehaviour, UE_FLIP);
	assert_int_equal(o.misbehave_number, 12);
	assert_int_equal(options(&o, "--listen 5070"), 0);
	assert_int_equal(o.sip_port, 5070);
	assert_int_equal(options(&o, "--listen 5070 sip:a@b"), 2);
	assert_int_equal(options(&o, "--kms http://k sip:a@b"), 2);
	assert_int_equal(options(&o, "--kms http://k --psk-file f --plain sip:a@b"), 2);
	assert_int_equal(options(&o, "--kms http://k --psk-file f --late-offer sip:a@b"), 0);
	assert_int_equal(options(&o, "--kms http://k --psk-file f --misbehave no-flag=Z sip:a@b"),
			 2);
	assert_int_equal(options(&o, "--kms http://k --psk-file f --misbehave skew=each sip:a@b"),
			 2);
	assert_int_equal(options(&o,
				 "--kms http://k --psk-file f --misbehave flip=each --rekey full "
				 "--media-lines video,audio,audio sips:a@b"),
			 0);
	assert_true(o.misbehaves_each && o.is_rekey_full);
	assert_int_equal(o.line_count, 3);
	assert_int_equal(o.own_line, 1);
	assert_int_equal(options(&o, "--media-lines video sip:a@b"), 2);
	assert_int_equal(options(&o, "--media-lines audio,smell sip:a@b"), 2);
	assert_int_equal(options(&o, "--rekey full sip:a@b"), 2);
	assert_int_equal(options(&o, "--100rel required --transport tls sip:a@b"), 0);
	assert_int_equal(o.reliable, UE_100REL_REQUIRED);
	assert_int_equal(options(&o, "--100rel maybe sip:a@b"), 2);
	assert_int_equal(options(&o, "--transport sctp sip:a@b"), 2);
	assert_int_equal(options(&o, "--kms http://k --psk-file f --misbehave flip sip:a@b"), 2);
	assert_int_equal(options(&o, "--kms http://k --psk-file f --misbehave sing sip:a@b"), 2);
	assert_int_equal(options(&o, "--misbehave expired sip:a@b"), 2);
	assert_int_equal(options(&o, ""), 2);
	assert_int_equal(options(&o, "http://a"), 2);
	assert_int_equal(options(&o, "--tone x sip:a@b"), 2);
	assert_int_equal(options(&o, "--suite ROT13 sip:a@b"), 2);
	assert_int_equal(options(&o, "--ptime 25 sip:a@b"), 2);
	assert_int_equal(options(&o, "--count sip:a@b"), 2);
	assert_int_equal(options(&o, "--colour red sip:a@b"), 2);
	assert_int_equal(options(&o, "--user alice sip:a@b"), 2);
	assert_int_equal(options(&o, "--script /nonexistent sip:a@b"), 2);
	assert_int_equal(options(&o, "sip:a@b sip:c@d"), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rtp_goes_round),
		cmocka_unit_test(rtp_cut_short),
		cmocka_unit_test(loss_duplicates_order),
		cmocka_unit_test(another_source),
		cmocka_unit_test(jitter_of_a_steady_stream_is_none),
		cmocka_unit_test(reports_go_round),
		cmocka_unit_test(sdp_goes_round),
		cmocka_unit_test(sdp_of_others),
		cmocka_unit_test(sdp_with_mikey),
		cmocka_unit_test(sdp_of_several_lines),
		cmocka_unit_test(sdp_of_streams),
		cmocka_unit_test(digest_of_the_rfc),
		cmocka_unit_test(command_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
