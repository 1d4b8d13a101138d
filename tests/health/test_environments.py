"""Which SSG each environment may speak to: every way past it is refused, in one sentence that names the setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from tms_pipeline.environments import check_ssg
from tms_pipeline.settings import PROJECT_ROOT, Settings, SettingsError, load_settings

PROFILES = PROJECT_ROOT / "deploy" / "environments"
# Made up; only there so that nothing is missing.
COMPLETE = {
    "ssg_uen": "T08GB0001A", "ssg_encryption_key": "c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE=", "ssg_cert_file": "a.crt",
    "ssg_key_file": "a.key", "ssg_corppass_id": "made up",
}  # fmt: skip
PRODUCTION = ["https://api.ssg-wsg.sg", "https://public-api.ssg-wsg.sg", "https://API.SSG-WSG.SG./v1", "https://api.ssg-wsg.sg:8443",
              "https://brand-new.ssg-wsg.sg", "https://www.tpgateway.gov.sg"]  # fmt: skip
UAT = ["https://uat-api.ssg-wsg.sg", "https://mock-api.ssg-wsg.sg"]


def refused(**settings: object) -> str:
    with pytest.raises(SettingsError) as raised:
        load_settings(_env_file=None, **{**COMPLETE, **settings})
    text = str(raised.value)
    assert text.endswith(".") and "\n" not in text
    return text


@pytest.mark.parametrize("address", PRODUCTION)
@pytest.mark.parametrize("name", ["ssg_base_url", "ssg_oauth_url"])
@pytest.mark.parametrize(("environment", "ssg_env"), [
    ("local", "simulator"), ("local", "uat"), ("staging", "simulator"), ("staging", "uat"), ("staging", "production"),
])  # fmt: skip
def test_nothing_but_production_reaches_ssgs_production_by_any_address(
    address: str, name: str, environment: str, ssg_env: str
) -> None:
    other = {"ssg_base_url": "https://uat-api.ssg-wsg.sg"} if name == "ssg_oauth_url" and ssg_env == "uat" else {}
    text = refused(environment=environment, ssg_env=ssg_env, **{**other, name: address})
    assert "only ENVIRONMENT=production" in text and name.upper() in text


@pytest.mark.parametrize("address", UAT)
def test_production_sends_nobodys_records_to_uat_nor_anywhere_else(address: str) -> None:
    assert "UAT" in refused(environment="production", ssg_env="production", ssg_base_url=address)
    assert "UAT" in refused(environment="production", ssg_env="uat", ssg_base_url=address)
    assert "not SSG's" in refused(environment="production", ssg_env="production", ssg_base_url="https://api.ssg-wsg.sg.evil.example")
    assert "simulator" in refused(environment="production", ssg_env="simulator")


@pytest.mark.parametrize("address", UAT)
def test_the_simulators_identity_is_not_shown_to_uat(address: str) -> None:
    assert "SSG_ENV=uat" in refused(environment="local", ssg_env="simulator", ssg_base_url=address)


@pytest.mark.parametrize(("environment", "ssg_env", "address"), [
    ("production", "production", "https://api.ssg-wsg.sg"),
    ("staging", "uat", "https://uat-api.ssg-wsg.sg"),
    ("local", "uat", "https://uat-api.ssg-wsg.sg"),
    ("local", "simulator", "http://127.0.0.1:8900"),
    ("staging", "simulator", "http://127.0.0.1:8900"),
])  # fmt: skip
def test_what_belongs_together_is_let_through(environment: str, ssg_env: str, address: str) -> None:
    assert load_settings(_env_file=None, **COMPLETE, environment=environment, ssg_env=ssg_env, ssg_base_url=address)


@pytest.mark.parametrize("address", PRODUCTION[:2])
def test_no_list_of_hosts_makes_ssgs_production_into_something_else(address: str) -> None:
    host = address.removeprefix("https://")
    for lists in ({"ssg_uat_hosts": host}, {"ssg_uat_hosts": host, "ssg_production_hosts": "egress.example"}, {"ssg_production_hosts": ""}):
        assert "only ENVIRONMENT=production" in refused(environment="staging", ssg_env="uat", ssg_base_url=address, **lists)


def test_a_proxy_of_ones_own_is_named_in_the_list_of_hosts() -> None:
    own = {"environment": "production", "ssg_env": "production", "ssg_base_url": "https://egress.example"}
    assert "SSG_PRODUCTION_HOSTS" in refused(**own)
    assert load_settings(_env_file=None, **COMPLETE, **own, ssg_production_hosts="api.ssg-wsg.sg,egress.example")
    assert "only ENVIRONMENT=production" in refused(
        environment="staging", ssg_env="uat", ssg_base_url="https://egress.example", ssg_production_hosts="egress.example"
    )


@pytest.mark.parametrize("name", ["local", "staging", "production"])
def test_each_profile_is_whole_but_for_its_secrets(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    profile = PROFILES / f".env.{name}"
    found = Settings(_env_file=profile)
    assert found.environment == name
    known = {(field.validation_alias or key.upper()) for key, field in Settings.model_fields.items()}
    given = {line.split("=")[0] for line in profile.read_text().splitlines() if line and not line.startswith("#")}
    assert given <= known, given - known
    if name == "local":
        check_ssg(found)
    else:
        with pytest.raises(SettingsError, match="so set SSG_UEN, SSG_ENCRYPTION_KEY, SSG_CORPPASS_ID"):
            check_ssg(found)
        assert check_ssg(Settings(_env_file=profile, **COMPLETE)) is None


def test_a_setting_that_stands_empty_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    as_installed = load_settings(_env_file=None)
    for line in (PROJECT_ROOT / ".env.example").read_text(encoding="utf-8").splitlines():
        name = line.lstrip("# ").partition("=")[0]
        if line.rstrip().endswith("=") and name.isupper():
            monkeypatch.setenv(name, "")
    monkeypatch.setenv("TMS_HOME", "")
    assert load_settings(_env_file=None) == as_installed
