"""Short intrinsic functions become the long ones."""

from __future__ import annotations

from pathlib import Path

from regulars_local import cloudformation

TEMPLATE = """
Resources:
  Child:
    Type: AWS::CloudFormation::Stack
    Properties: { TemplateURL: child.yaml, Parameters: { A: !Ref B, C: !GetAtt D.Outputs.E } }
  Other:
    Type: AWS::SNS::Topic
    Condition: Wanted
    Properties:
      TopicName: !Sub "${Prefix}-x"
      Tags: [!If [Wanted, !Ref A, !Ref B]]
      Names: !Equals [!Ref A, ""]
      Also: !Transform { Name: X }
"""


def test_intrinsic_functions(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    template = cloudformation.load(tmp_path / "template.yaml")
    child, other = (template["Resources"][name]["Properties"] for name in ("Child", "Other"))
    assert child["Parameters"] == {"A": {"Ref": "B"}, "C": {"Fn::GetAtt": ["D", "Outputs.E"]}}
    assert other["TopicName"] == {"Fn::Sub": "${Prefix}-x"}
    assert other["Tags"] == [{"Fn::If": ["Wanted", {"Ref": "A"}, {"Ref": "B"}]}]
    assert other["Names"] == {"Fn::Equals": [{"Ref": "A"}, ""]}
    assert other["Also"] == {"Fn::Transform": {"Name": "X"}}
    assert cloudformation.nested(template) == {"Child": "child.yaml"}
