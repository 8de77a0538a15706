"""How loud a frequency is in a WAV file, by the Goertzel algorithm, and in what a conclave-ue heard."""
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


def tones(count):
    """Frequencies that a window tells apart."""
    return [300 + 100 * i for i in range(count)]


def levels(result):
    """{frequency: level in dBov} of what a participant heard."""
    return {int(float(row["hz"])): row["dbov"] for row in result["heard"]}


def assert_no_gap(result):
    """Nothing is lost between two packets, and as many came as the clock asks for. A machine that stands still for a moment is no gap."""
    rx = result["rx"]
    assert rx["lost"] <= 2 and rx["packets"] >= 0.9 * rx["due"] and rx["gap_max_ms"] <= 1000, result


def assert_hears(result, others, own, level=-20, within=2.0):
    heard = levels(result)
    for hz in others:
        assert abs(heard[hz] - level) <= within, f"{hz} Hz at {heard[hz]} dBov, {level} wanted: {heard}"
    assert heard[own] < level - 15, f"hears itself at {own} Hz: {heard}"
