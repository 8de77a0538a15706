"""conclave doctor on a machine with a KMS: master key, store, certificate, clock, the program; and on one without."""
import datetime
import json
import os
import re
import subprocess

import pytest

from kms import Kms
from node import program


def findings(kms):
    """{what: (grade, found, mend)} and the exit status."""
    done = subprocess.run([program("conclave"), "doctor", "--json", "--config", kms.config_path], capture_output=True, text=True, timeout=60)
    return {row["what"]: (row["grade"], row["found"], row.get("mend")) for row in json.loads(done.stdout)}, done.returncode


@pytest.fixture
def kms():
    with Kms(tls=True) as kms:
        kms.add("sip:alice@ims.example")
        yield kms


def certificate(kms, days, name="cert.pem", key="key.pem"):
    """From ten days before to so many days and a half after now."""
    begin = datetime.datetime.utcnow() - datetime.timedelta(days=10)
    end = datetime.datetime.utcnow() + datetime.timedelta(days=days, hours=12)
    subprocess.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=x", "-keyout",
                    kms.path(key), "-out", kms.path("x.csr")], check=True, capture_output=True)
    conf = kms.path("ca.conf")
    with open(conf, "w", encoding="utf-8") as file:
        file.write(f"[ca]\ndefault_ca=d\n[d]\ndatabase={kms.path('db.txt')}\nserial={kms.path('serial')}\nnew_certs_dir={kms.folder}\n"
                   "default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n")
    open(kms.path("db.txt"), "w", encoding="utf-8").close()
    with open(kms.path("serial"), "w", encoding="utf-8") as file:
        file.write("01\n")
    subprocess.run(["openssl", "ca", "-batch", "-config", conf, "-selfsign", "-keyfile", kms.path(key), "-in", kms.path("x.csr"), "-notext",
                    "-startdate", begin.strftime("%Y%m%d%H%M%SZ"), "-enddate", end.strftime("%Y%m%d%H%M%SZ"), "-out", kms.path(name)],
                   check=True, capture_output=True)
    os.chmod(kms.path(key), 0o600)


def test_all_is_well(kms):
    found, _ = findings(kms)
    assert found["KMS store"][0] == "ok" and "1 users, 1 enabled, 2 TPKs in use" in found["KMS store"][1]
    assert found["KMS"][:1] == ("ok",) and "sip:kms.example answers" in found["KMS"][1]
    assert found["certificate"][0] == "note" and re.search("ends in [12] days", found["certificate"][1]), found["certificate"]
    assert found["time"][0] in ("ok", "note")


def test_the_program_is_not_there(kms):
    kms.stop()
    found, _ = findings(kms)
    assert found["KMS"][0] == "note" and "systemctl start conclave-kms" == found["KMS"][2]


@pytest.mark.parametrize("days,grade,said", [(400, "ok", "ends in 400 days"), (3, "note", "ends in 3 days"), (-2, "FAIL", "ended 1 days ago")])
def test_certificates_end(kms, days, grade, said):
    certificate(kms, days)
    found, status = findings(kms)
    assert found["certificate"][0] == grade and said in found["certificate"][1], found["certificate"]
    assert status == 1 or grade != "FAIL"


def test_certificate_and_key_belong_together(kms):
    certificate(kms, 100, name="other.pem", key="other-key.pem")
    kms.config["kms"]["tls"]["key"] = kms.path("other-key.pem")
    kms.write_config()
    found, status = findings(kms)
    assert found["certificate"][0] == "FAIL" and "another certificate" in found["certificate"][1] and status == 1
    os.chmod(kms.path("other-key.pem"), 0o644)
    assert findings(kms)[0]["certificate"][2].startswith("chmod 600 ")
    kms.config["kms"]["tls"] = {"certificate": kms.config_path, "key": kms.path("key.pem")}
    kms.write_config()
    assert "no certificate in PEM" in findings(kms)[0]["certificate"][1]


@pytest.mark.parametrize("name,what", [("kms.key", "master key"), ("kms.db", "KMS store")])
def test_files_that_others_can_read(kms, name, what):
    os.chmod(kms.path(name), 0o640)
    found, status = findings(kms)
    assert found[what][0] == "FAIL" and found[what][2] == f"chmod 600 {kms.path(name)}" and status == 1


def test_a_store_and_a_master_key_of_two(kms):
    with Kms(start=False) as other:
        os.replace(other.path("kms.key"), kms.path("kms.key"))
    found, status = findings(kms)
    assert found["KMS store"][0] == "FAIL" and "master key" in found["KMS store"][1] and status == 1


def test_half_of_it_is_there(kms):
    kms.stop()
    os.rename(kms.path("kms.db"), kms.path("away.db"))
    found, status = findings(kms)
    assert found["KMS store"][::2] == ("FAIL", "conclave kms init") and status == 1
    assert not os.path.exists(kms.path("kms.db"))
    os.rename(kms.path("away.db"), kms.path("kms.db"))
    os.rename(kms.path("kms.key"), kms.path("away.key"))
    found, _ = findings(kms)
    assert found["KMS store"][0] == "FAIL" and "kms.key" in found["KMS store"][1]


def test_another_store_than_the_running_one(kms):
    kms.config["kms"]["store"] = kms.path("new.db")
    kms.write_config()
    kms.cli("init")
    found, _ = findings(kms)
    assert found["KMS"][0] == "FAIL" and kms.path("kms.db") in found["KMS"][1]


def test_a_machine_without_one(tmp_path):
    (tmp_path / "c.yaml").write_text(f"kms: {{store: {tmp_path}/none.db, master_key: {tmp_path}/none.key}}\n")

    class Nothing:
        config_path = str(tmp_path / "c.yaml")
    assert findings(Nothing)[0]["KMS"][:2] == ("ok", f"none on this machine (no {tmp_path}/none.db)")
