"""What the code counts about the model is what the alarms look at."""

from __future__ import annotations

from tests.architecture import templates

from regulars.recommendations.service import MODEL_BROKEN, MODEL_MISSING


def test_each_has_an_alarm_on_its_first_count() -> None:
    alarms = {
        alarm["Properties"]["MetricName"]: alarm["Properties"]
        for _, _, alarm in templates.resources("AWS::CloudWatch::Alarm")
        if alarm["Properties"]["Namespace"] == "Regulars" and alarm["Properties"]["MetricName"].startswith("Model")
    }
    assert set(alarms) == {MODEL_BROKEN, MODEL_MISSING}
    service = templates.functions()["serve_recommendations"].variables["POWERTOOLS_SERVICE_NAME"]
    for properties in alarms.values():
        assert properties["Dimensions"] == [{"Name": "service", "Value": service}]
        assert (properties["Statistic"], properties["Threshold"], properties["ComparisonOperator"]) == (
            "Sum",
            0,
            "GreaterThanThreshold",
        )
