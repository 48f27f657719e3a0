"""Image, compose file and Kubernetes resources: no privilege, probes that are answered, settings that there are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from alerts.console.routes import operations
from streams import settings

DEPLOY = Path(__file__).parents[2] / "deploy"
KNOWN = {variable for _, variable, *_ in settings.described()}
PATHS = {route.path for route in operations.router.routes}  # type: ignore[attr-defined]
ROOTLESS = 10001


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text()))


def runs() -> dict[str, dict[str, Any]]:
    return {name: one for name, one in compose()["services"].items() if one["image"] == "foreshock"}


def stateful() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "kubernetes" / "base" / "statefulset.yaml").read_text()))


def environment(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))


def usable(given: dict[str, str], folder: Path) -> settings.Settings:
    """Load settings whose secrets are in files, as they would be there."""
    for name, text in (("cluster", "ab" * 32), ("journal", "x")):
        (folder / name).write_text(text)
    files = {
        "FORESHOCK_CLUSTER_KEY_FILE": str(folder / "cluster"),
        "FORESHOCK_JOURNAL_PASSWORD_FILE": str(folder / "journal"),
    }
    assert files.keys() <= given.keys(), "secrets stand in files"
    assert {name.removesuffix("_FILE") for name in given} <= KNOWN
    return settings.load({**given, **files})


def test_the_image_runs_as_a_user_without_rights_and_asks_whether_it_is_ready() -> None:
    text = (DEPLOY / "container" / "Dockerfile").read_text()
    last = text.rpartition("\nFROM ")[2]
    assert f"USER {ROOTLESS}:{ROOTLESS}" in last and "/readyz" in last
    assert set(re.findall(r"FORESHOCK_\w+", text)) <= KNOWN
    assert "/readyz" in PATHS


def test_runs_of_the_compose_file_are_locked_up_and_of_one_cluster(tmp_path: Path) -> None:
    found = runs()
    assert len(found) == 4
    for name, one in found.items():
        assert one["read_only"] and one["user"] == f"{ROOTLESS}:{ROOTLESS}" and one["cap_drop"] == ["ALL"], name
        assert usable(one["environment"], tmp_path).cluster
    data = [volume for name, one in found.items() for volume in one["volumes"] if volume.endswith("/var/lib/foreshock")]
    assert len(data) == len(set(data)) == 3, "each run has a folder of its own"
    published = [port for one in compose()["services"].values() for port in one.get("ports", ())]
    assert published and all(port.startswith("127.0.0.1:") for port in published), "nothing listens beyond loopback"


def test_the_compose_file_is_what_the_compose_specification_asks_for() -> None:
    packed = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    check = jsonschema.Draft7Validator(json.loads(packed.read_text(encoding="utf-8")))
    check.validate(compose())
    wrong = compose()
    next(iter(wrong["services"].values()))["read_onyl"] = True
    assert not check.is_valid(wrong)


def test_a_pod_is_locked_up_and_its_probes_are_answered(tmp_path: Path) -> None:
    pod = stateful()["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] == ROOTLESS
    assert pod["automountServiceAccountToken"] is False
    for one in [*pod["containers"], *pod["initContainers"]]:
        locked = one["securityContext"]
        assert locked["readOnlyRootFilesystem"] and not locked["allowPrivilegeEscalation"]
        assert locked["capabilities"] == {"drop": ["ALL"]} and one["resources"]["limits"]["memory"]
        written = {mount["mountPath"] for mount in one["volumeMounts"] if not mount.get("readOnly")}
        assert written == {"/var/lib/foreshock", "/tmp"}
    (run,) = pod["containers"]
    assert {run[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")} <= PATHS
    assert pod["terminationGracePeriodSeconds"] > 7, "a run stops within seven seconds"
    given = environment((DEPLOY / "kubernetes" / "base" / "settings.env").read_text())
    assert usable(given, tmp_path).kafka_session_seconds == 6


@pytest.mark.parametrize("version", ["1.31", kubernetes_validate.latest_version()])
def test_resources_are_what_kubernetes_own_schemas_ask_for(version: str) -> None:
    found = [
        one
        for file in sorted((DEPLOY / "kubernetes").glob("*/*.yaml"))
        if file.name != "kustomization.yaml"
        for one in yaml.safe_load_all(file.read_text())
    ]
    for one in found:
        kubernetes_validate.validate(one, version, strict=True)
    kinds = ["HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget", "Service", "Service", "StatefulSet"]
    assert sorted(one["kind"] for one in found) == kinds
    wrong = {**found[-1], "spec": {**found[-1]["spec"], "maxReplica": 1}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, version, strict=True)


def test_runs_are_added_by_a_share_of_what_they_ask_for() -> None:
    one = yaml.safe_load((DEPLOY / "kubernetes" / "three-nodes" / "scaling.yaml").read_text())["spec"]
    assert one["scaleTargetRef"]["name"] == stateful()["metadata"]["name"]
    assert one["minReplicas"] == 3, "no fewer than the overlay says"
    assert stateful()["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"], "shares of what?"


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl here")
def test_three_nodes_are_what_kustomize_makes_of_it() -> None:
    folder = DEPLOY / "kubernetes" / "three-nodes"
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    made = {
        (one["kind"], one["metadata"]["name"].split("-settings")[0]): one for one in yaml.safe_load_all(done.stdout)
    }
    assert made["StatefulSet", "foreshock"]["spec"]["replicas"] == 3
    budget = made["PodDisruptionBudget", "foreshock"]["spec"]
    labels = made["StatefulSet", "foreshock"]["spec"]["template"]["metadata"]["labels"]
    assert budget["maxUnavailable"] == 1 and budget["selector"]["matchLabels"].items() <= labels.items()
    assert made["ConfigMap", "foreshock"]["data"]["FORESHOCK_KAFKA_REPLICATION"] == "3"
