"""Laws of queues that span templates (those within one are cfn-lint rules, infra/rules/laws.py)."""

from __future__ import annotations

from tests.architecture import templates

from regulars.channels.config import ChannelSettings
from regulars.decisions.model import CHANNELS
from regulars.shop import section

_FOURTEEN_DAYS = 1_209_600


def test_a_message_stays_invisible_long_enough() -> None:
    """Visibility ≥ 6 × timeout + batching window, so that a slow batch is not delivered a second time while it runs."""
    for stack, name, mapping in templates.resources("AWS::Lambda::EventSourceMapping"):
        properties = mapping["Properties"]
        if "StartingPosition" in properties:
            continue
        source, target = (
            templates.origin(stack, properties["EventSourceArn"]),
            templates.origin(stack, properties["FunctionName"]),
        )
        assert source is not None
        assert target is not None
        queue = templates.stacks()[source.stack]["Resources"][source.name]["Properties"]
        timeout = templates.stacks()[target.stack]["Resources"][target.name]["Properties"]["Timeout"]
        assert queue["VisibilityTimeout"] >= 6 * timeout + properties.get("MaximumBatchingWindowInSeconds", 0), name


def test_what_only_waits_leaves_the_queue_before_it_is_taken_for_dead() -> None:
    """A worker that dies between the entry and its timer needs one more delivery to set the timer."""
    postpone_after = section(ChannelSettings, "channels").sending.postpone_after
    for channel in CHANNELS:
        queue = templates.stacks()["Queues"]["Resources"][f"{channel.capitalize()}Queue"]["Properties"]
        assert 5 <= queue["RedrivePolicy"]["maxReceiveCount"] <= 6
        assert postpone_after < queue["RedrivePolicy"]["maxReceiveCount"]


def test_dead_letters_outlive_a_fortnight_and_are_alarmed() -> None:
    alarmed = {
        alarm["Properties"]["Dimensions"][0]["Value"]["Fn::Sub"]
        for _, _, alarm in templates.resources("AWS::CloudWatch::Alarm")
        if alarm["Properties"]["Namespace"] == "AWS/SQS"
    }
    for _, name, queue in templates.resources("AWS::SQS::Queue"):
        if name.endswith(("DeadQueue", "FailuresQueue")):
            assert queue["Properties"]["MessageRetentionPeriod"] == _FOURTEEN_DAYS
            assert queue["Properties"]["QueueName"]["Fn::Sub"] in alarmed, name


def test_streams_are_watched() -> None:
    """A stream forgets after 24 hours: whoever falls an hour behind is reported."""
    watched = {
        templates.origin(stack, alarm["Properties"]["Dimensions"][0]["Value"])
        for stack, _, alarm in templates.resources("AWS::CloudWatch::Alarm")
        if alarm["Properties"]["MetricName"] == "IteratorAge" and alarm["Properties"]["Threshold"] == 3_600_000
    }
    for stack, _, mapping in templates.resources("AWS::Lambda::EventSourceMapping"):
        if "StartingPosition" in mapping["Properties"]:
            assert templates.origin(stack, mapping["Properties"]["FunctionName"]) in watched


def test_every_alarm_goes_to_the_alarms_topic() -> None:
    for stack, name, alarm in templates.resources("AWS::CloudWatch::Alarm"):
        (action,) = alarm["Properties"]["AlarmActions"]
        where = templates.origin(stack, action)
        assert where is not None
        assert where.name == "AlarmsTopic", name


def test_provider_events_reach_the_feedback_queue() -> None:
    ((stack, _, destination),) = templates.resources("AWS::SES::ConfigurationSetEventDestination")
    topic = templates.origin(stack, destination["Properties"]["EventDestination"]["SnsDestination"]["TopicARN"])
    subscriptions = templates.resources("AWS::SNS::Subscription")
    ((stack, _, feedback),) = [entry for entry in subscriptions if entry[2]["Properties"]["Protocol"] == "sqs"]
    assert templates.origin(stack, feedback["Properties"]["TopicArn"]) == topic
    assert templates.noun(templates.origin(stack, feedback["Properties"]["Endpoint"]), "Queue") == "feedback"
    assert feedback["Properties"]["RawMessageDelivery"] is False


def test_functions_are_built_for_one_runtime_and_architecture() -> None:
    for function in templates.functions().values():
        assert function.properties["Runtime"] == "python3.13"
        where = templates.origin(function.stack, function.properties["Architectures"][0])
        assert where == templates.Origin("", "Architecture")
    assert templates.stacks()[""]["Parameters"]["Architecture"]["Default"] == "arm64"
