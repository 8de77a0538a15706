"""How loud a frequency is in a WAV file, by the Goertzel algorithm."""
import array
import math
import wave


def dbov(samples, rate, hz):
    """Level of one frequency in dBov: a full-scale sine is -3 (RFC 6464)."""
    if not samples:
        return -127.0
    k = 2 * math.cos(2 * math.pi * hz / rate)
    s1 = s2 = 0.0
    for index, x in enumerate(samples):
        window = 0.5 - 0.5 * math.cos(2 * math.pi * index / len(samples))
        s1, s2 = x * window + k * s1 - s2, s1
    power = (s1 * s1 + s2 * s2 - k * s1 * s2) * 4 / (len(samples) * 0.5) ** 2 / 32768 ** 2 / 4
    return 10 * math.log10(power) + 3.01 if power > 1e-13 else -127.0


def middle_second(path):
    """(samples, rate) of one second in the middle of a mono file."""
    with wave.open(path) as file:
        assert file.getnchannels() == 1 and file.getsampwidth() == 2, path
        rate, count = file.getframerate(), file.getnframes()
        file.setpos(max(0, count // 2 - rate // 2))
        samples = array.array("h", file.readframes(rate))
    return samples, rate


def write_tone(path, hz, seconds, level=-20, rate=8000):
    """A mono file with a sine of this level in dBov."""
    peak = 32767 * 10 ** ((level + 3.01) / 20)
    with wave.open(path, "w") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(array.array("h", (int(peak * math.sin(2 * math.pi * hz * i / rate)) for i in range(seconds * rate))).tobytes())
