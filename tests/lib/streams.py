"""A node whose conferences have floors and chat, in each of the three ways to protect them, and people who come to them by conclave-ue."""
from kms import Kms
from mikey import focus_config
from node import Node, Ue

HOST = "focus.example"
SECURITY = {"mikey": "mikey-ticket", "sdes": "sdes", "plain": "none"}
MODES = tuple(SECURITY)


def who(number):
    return f"sip:user{number}@ims.example"


class House:
    """Conferences "mikey", "sdes" and "plain"; settings are theirs beside security. People are numbered from 1."""

    def __init__(self, users=3, modes=MODES, config=None, **settings):
        self.users, self.modes, self.config = users, modes, config or {}
        self.settings = {"loudest": 0, "identity": "none", **settings}
        self.kms = None

    def __enter__(self):
        config = dict(self.config)
        if "mikey" in self.modes:
            self.kms = Kms()
            self.keys = {n: self.kms.add(who(n)) for n in range(1, self.users + 1)}
            focus = self.kms.add(f"sip:{HOST}", "--act-for", f"sip:*@{HOST}", "--psk-id", f"sip:{HOST}")
            config["mikey"] = focus_config(self.kms, focus)
        config["conferences"] = [{"id": mode, "security": SECURITY[mode], **self.settings} for mode in self.modes]
        try:
            self.node = Node(config)
        except BaseException:
            if self.kms:
                self.kms.stop()
            raise
        return self

    def __exit__(self, kind, value, trace):
        try:
            self.node.__exit__(kind, value, trace)
        finally:
            if self.kms:
                self.kms.__exit__(kind, value, trace)

    def _who(self, mode, number):
        """The options that say who somebody is; number "%d": conclave-ue counts."""
        if mode == "mikey":
            return ("--kms", self.kms.url, "--kms-id", self.kms.identity, "--psk-file", self.kms.path(f"user{number}.psk"),
                    "--responder", f"sip:mikey@{HOST}")
        return ("--from", who(number), *(("--plain",) if mode == "plain" else ()))

    def join(self, mode, number, *options, seconds=5):
        return Ue(self.node.uri(mode), *self._who(mode, number), *options, seconds=seconds)

    def crowd(self, mode, count, *options, seconds=5):
        """The first so many people, in one process; a line of JSON for each, then the sum."""
        return Ue(self.node.uri(mode), "--count", count, "--each", *self._who(mode, "%d"), *options, seconds=seconds)
