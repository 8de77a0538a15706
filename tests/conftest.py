"""What all pytest folders share: the path of tests/lib, the mark of tests that also run against the sanitizer build."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
sys.dont_write_bytecode = True


def pytest_configure(config):
    config.addinivalue_line("markers", "sanitized: runs again against the build with ASan and UBSan")
