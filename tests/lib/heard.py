"""What a conclave-ue heard, by its --record: which frequencies when, in windows of 40 ms."""
import array
import math

WINDOW = 320  # samples: 25 Hz apart


class Heard:
    """Of a recording while it grows or when it is done."""

    def __init__(self, path):
        with open(path, "rb") as file:
            octets = file.read()
        assert octets[:4] in (b"RIFF", b""), path
        self.samples = array.array("h", octets[44:44 + (len(octets) - 44) // 2 * 2])

    def amplitude(self, hz, window):
        at = window * WINDOW
        part = self.samples[at:at + WINDOW]
        re = sum(x * math.cos(2 * math.pi * hz * i / 8000) for i, x in enumerate(part))
        im = sum(x * math.sin(2 * math.pi * hz * i / 8000) for i, x in enumerate(part))
        return 2 * math.hypot(re, im) / WINDOW

    def windows(self):
        return len(self.samples) // WINDOW

    def when(self, hz, least=2000):
        """Windows in which this frequency is at least so loud."""
        return [i for i in range(self.windows()) if self.amplitude(hz, i) >= least]

    def has(self, hz, least=2000, windows=2):
        return len(self.when(hz, least)) >= windows

    def order(self, *frequencies):
        """The frequencies are heard, each beginning after the one before."""
        last = -1
        for hz in frequencies:
            windows = [i for i in self.when(hz) if i > last]
            if not windows:
                return False
            last = windows[0]
        return True
