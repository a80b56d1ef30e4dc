"""What pytest is to do with KerasTuner's tests: begin and end each with the tuner, and note what became of it."""
import pytest
from served import replace_oracles


class Plugin:
    def __init__(self, service, listed):
        self._service = service
        self._listed = listed
        # "file::test" to "passed", or to what went wrong.
        self.outcomes = {}

    def pytest_collection_modifyitems(self, items):
        for item in items:
            if item.name in self._entry(item).get("different", {}):
                # It has to fail, and at what it asserts: otherwise it is not the difference that is listed.
                item.add_marker(pytest.mark.xfail(strict=True, raises=(AssertionError, pytest.fail.Exception), reason="listed as different"))

    @pytest.fixture(autouse=True)
    def served(self, request, monkeypatch):
        replace_oracles(self._service, monkeypatch)
        self._service.begin()
        yield
        asked = self._service.end()
        if request.node.name not in self._entry(request.node).get("client", {}) and not asked:
            pytest.fail("it asked the tuner nothing", pytrace=False)

    def pytest_runtest_logreport(self, report):
        if report.outcome == "failed":
            self.outcomes[report.nodeid] = report.longreprtext
        elif report.when == "call":
            self.outcomes[report.nodeid] = "different" if hasattr(report, "wasxfail") else report.outcome

    def _entry(self, item):
        return self._listed[item.nodeid.partition("::")[0]]
