/* Offers as phones make them; keys are made up. */
#ifndef TEST_SDP_OFFERS_H
#define TEST_SDP_OFFERS_H

#define TEST_K1 "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
#define TEST_K2 "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
#define TEST_K28 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw=="
#define TEST_HEAD "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
#define TEST_C80 "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" TEST_K1 "\r\n"
#define TEST_C32 "a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:" TEST_K2 "\r\n"

/* baresip 1.0 with mediaenc=srtp-mand */
__attribute__((unused)) static const char offer_baresip[] =
	"v=0\r\no=- 2890844526 1767 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 "
	"0\r\na=tool:baresip 1.0.0\r\n"
	"m=audio 26010 RTP/SAVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 "
	"PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
	"a=fmtp:101 0-15\r\na=rtcp:26011\r\n" TEST_C80 TEST_C32 "a=rtcp-mux\r\na=ssrc:3735928559 "
	"cname:sip:alice@127.0.0.1\r\na=label:1\r\na=sendrecv\r\na=ptime:20\r\n";

/* linphone-like: SAVPF, feedback, several suites, opus first, video that we refuse */
__attribute__((unused)) static const char offer_linphone[] =
	"v=0\r\no=alice 1234 3456 IN IP4 192.0.2.10\r\ns=Talk\r\nc=IN IP4 "
	"192.0.2.10\r\nb=AS:380\r\nt=0 0\r\n"
	"a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL "
	"voip-metrics\r\na=record:off\r\n"
	"m=audio 7078 RTP/SAVPF 96 97 98 0 8 18 101 99\r\n"
	"a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\na=rtpmap:97 "
	"speex/16000\r\na=fmtp:97 vbr=on\r\na=rtpmap:98 speex/8000\r\n"
	"a=fmtp:18 annexb=yes\r\na=rtpmap:101 telephone-event/48000\r\na=rtpmap:99 "
	"telephone-event/8000\r\n"
	"a=crypto:1 AEAD_AES_128_GCM inline:" TEST_K28 "\r\n"
	"a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:" TEST_K1
	"\r\na=crypto:3 AES_CM_128_HMAC_SHA1_32 inline:" TEST_K2 "\r\n"
	"a=rtcp-fb:* trr-int 1000\r\na=rtcp-fb:* ccm tmmbr\r\n"
	"m=video 9078 RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 "
	"inline:" TEST_K2 "\r\n"
	"a=rtcp-fb:96 nack pli\r\n";

/* Polycom-like: SRTP and plain RTP offered side by side on two m-lines; lifetime and MKI */
__attribute__((unused)) static const char offer_polycom[] =
	"v=0\r\no=- 1369227653 1369227653 IN IP4 198.51.100.7\r\ns=Polycom IP Phone\r\nc=IN IP4 "
	"198.51.100.7\r\nt=0 0\r\na=sendrecv\r\n"
	"m=audio 2226 RTP/SAVP 9 102 0 8 18 127\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 "
	"inline:" TEST_K1 "|2^31|1:4\r\n"
	"a=rtpmap:9 G722/8000\r\na=rtpmap:102 G7221/16000\r\na=fmtp:102 "
	"bitrate=32000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
	"a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\na=rtpmap:127 telephone-event/8000\r\n"
	"m=audio 2228 RTP/AVP 9 0 8 18 127\r\na=rtpmap:9 G722/8000\r\na=rtpmap:0 "
	"PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
	"a=rtpmap:127 telephone-event/8000\r\n";

/* RFC 4568 7.1.5, with audio that we have */
__attribute__((unused)) static const char offer_rfc4568[] =
	"v=0\r\no=sam 2890844526 2890842807 IN IP4 10.47.16.5\r\ns=SRTP Discussion\r\ni=A "
	"discussion of Secure RTP\r\n"
	"u=http://www.example.com/seminars/srtp.pdf\r\ne=marge@example.com (Marge Simpson)\r\nc=IN "
	"IP4 168.2.17.12\r\n"
	"t=2873397496 2873404696\r\nm=audio 49170 RTP/SAVP 0\r\n"
	"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" TEST_K1 "|2^20|1:4 FEC_ORDER=FEC_SRTP\r\n"
	"a=crypto:2 F8_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm|2^20|1:4;"
	"inline:QUJjZGVmMTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5|2^20|2:4 FEC_ORDER=FEC_SRTP\r\n";

/* RFC 3264 10.1: plain, several m-lines, no security */
__attribute__((unused)) static const char offer_rfc3264[] =
	"v=0\r\no=alice 2890844526 2890844526 IN IP4 "
	"host.anywhere.com\r\ns=\r\nc=IN IP4 192.0.2.4\r\nt=0 0\r\n"
	"m=audio 49170 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\nm=video "
	"51372 RTP/AVP 31\r\na=rtpmap:31 H261/90000\r\n"
	"m=video 53000 RTP/AVP 32\r\na=rtpmap:32 MPV/90000\r\n";

/* IPv6, address at media level, own RTCP address, L16, ICE and other things we pass over */
__attribute__((unused)) static const char offer_ip6[] =
	"v=0\no=- 3 3 IN IP6 2001:db8::5\ns=-\nt=0 "
	"0\na=ice-ufrag:8hhY\na=ice-pwd:asd88fgpdd777uzjYhagZg\na=group:BUNDLE a\n"
	"m=audio 5004 RTP/SAVP 112 8 110\nc=IN IP6 2001:db8::5\na=mid:a\na=rtcp:5100 IN IP6 "
	"2001:db8::6\na=rtpmap:112 L16/8000/1\n"
	"a=rtpmap:110 telephone-event/8000\na=candidate:1 1 UDP 2130706431 2001:db8::5 5004 typ "
	"host\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\n"
	"a=content:main\na=3ge2ae:requested\na=ptime:30\na=maxptime:60\na=crypto:7 "
	"AES_CM_128_HMAC_SHA1_32 inline:" TEST_K1 "\n";

/* DTLS-SRTP from a browser: no SDES there */
__attribute__((unused)) static const char offer_dtls[] =
	TEST_HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 0 8\r\na=fingerprint:sha-256 "
		  "AA:BB\r\na=setup:actpass\r\na=rtcp-mux\r\n";

#endif
