"""Drives every operation of one service, as the local cloud's README lists them, and judges every answer.

usage: operations.py SERVICE README ZIP boto3|cli
"""
import json
import re
import sys
import time

from cli import CommandLine
from model import Answer
from session import POLICY, TRUST, Session

service, readme, zip_file, client = sys.argv[1:]
session = CommandLine() if client == "cli" else Session()
ACCOUNT = "000000000000"
DAY = 24 * 60 * 60 * 1000
EVENT = json.dumps({
    "version": "2.0", "rawPath": "/", "rawQueryString": "", "requestContext": {"http": {"method": "GET"}}
})


def good(operation, of=None, **arguments):
    answer, (status, code, message) = session.call(of or service, operation, **arguments)
    if code:
        session.problems.append(f"{operation} {arguments}: {status} {code}: {message}")
        return {}
    return answer


def bad(operation, expected, of=None, **arguments):
    _, (status, code, message) = session.call(of or service, operation, **arguments)
    # The CLI looks at some values itself, and has no command for what it does not know.
    if code != expected and not (client == "cli" and status == 0):
        session.problems.append(f"{operation} {arguments}: {status} {code}: {message!r}, not {expected}")


def same(found, expected):
    if found != expected:
        session.problems.append(f"{found!r}, not {expected!r}")


def pages(operation, key, **arguments):
    """All items of a list, two a page."""
    return session.pages(service, operation, key, **arguments)


def sts():
    same(good("GetCallerIdentity")["Account"], ACCOUNT)
    if "AssumeRole" in listed():
        good("CreateRole", of="iam", RoleName="other", AssumeRolePolicyDocument=TRUST.replace("Service", "AWS").replace(
            "lambda.amazonaws.com", f"arn:aws:iam::{ACCOUNT}:root"))
        role = f"arn:aws:iam::{ACCOUNT}:role/other"
        assumed = good("AssumeRole", RoleArn=role, RoleSessionName="judge")
        same(set(assumed["Credentials"]), {"AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"})
        bad("AssumeRole", "AccessDenied", RoleArn=role + "s", RoleSessionName="judge")
    bad("GetFederationToken", "InvalidAction", Name="judge")


def iam():
    role = {"RoleName": "judge"}
    tags = [{"Key": "team", "Value": "web <&>"}, {"Key": "cost", "Value": ""}]
    boundary = "arn:aws:iam::aws:policy/PowerUserAccess"
    good("CreateRole", **role, AssumeRolePolicyDocument=TRUST, Description="a <role> & more", Tags=tags,
         PermissionsBoundary=boundary, MaxSessionDuration=7200, Path="/judges/")
    bad("CreateRole", "EntityAlreadyExists", RoleName="JUDGE", AssumeRolePolicyDocument=TRUST)
    bad("CreateRole", "MalformedPolicyDocument", RoleName="other", AssumeRolePolicyDocument="{")
    for name in "abc":
        good("CreateRole", RoleName=name, AssumeRolePolicyDocument=TRUST)
    found = good("GetRole", **role)["Role"]
    same((found["Description"], found["MaxSessionDuration"], found["Path"]), ("a <role> & more", 7200, "/judges/"))
    same(found["AssumeRolePolicyDocument"], json.loads(TRUST))
    same(sorted(tag["Value"] for tag in found["Tags"]), ["", "web <&>"])
    same(found["PermissionsBoundary"]["PermissionsBoundaryArn"], boundary)
    bad("GetRole", "NoSuchEntity", RoleName="unknown")
    same(sorted(role["RoleName"] for role in pages("ListRoles", "Roles")), ["a", "b", "c", "judge"])
    good("UpdateRole", **role, Description="new", MaxSessionDuration=3600)
    same(good("GetRole", **role)["Role"]["Description"], "new")
    good("UpdateAssumeRolePolicy", **role, PolicyDocument=TRUST.replace("lambda", "ec2"))
    good("DeleteRolePermissionsBoundary", **role)
    good("PutRolePermissionsBoundary", **role, PermissionsBoundary=boundary)
    good("TagRole", **role, Tags=[{"Key": "team", "Value": "api"}, {"Key": "x", "Value": "y"}])
    good("UntagRole", **role, TagKeys=["cost", "nothing"])
    same([(tag["Key"], tag["Value"]) for tag in pages("ListRoleTags", "Tags", **role)], [("team", "api"), ("x", "y")])
    for name in ("one", "two", "three"):
        good("PutRolePolicy", **role, PolicyName=name, PolicyDocument=POLICY)
    bad("PutRolePolicy", "MalformedPolicyDocument", **role, PolicyName="bad", PolicyDocument="[]")
    same(good("GetRolePolicy", **role, PolicyName="one")["PolicyDocument"], json.loads(POLICY))
    bad("GetRolePolicy", "NoSuchEntity", **role, PolicyName="four")
    same(sorted(pages("ListRolePolicies", "PolicyNames", **role)), ["one", "three", "two"])
    for name in ("ReadOnlyAccess", "PowerUserAccess", "job-function/ViewOnlyAccess"):
        good("AttachRolePolicy", **role, PolicyArn=f"arn:aws:iam::aws:policy/{name}")
    attached = pages("ListAttachedRolePolicies", "AttachedPolicies", **role)
    same(sorted(policy["PolicyName"] for policy in attached), ["PowerUserAccess", "ReadOnlyAccess", "ViewOnlyAccess"])
    bad("DeleteRole", "DeleteConflict", **role)
    for policy in attached:
        good("DetachRolePolicy", **role, PolicyArn=policy["PolicyArn"])
    bad("DetachRolePolicy", "NoSuchEntity", **role, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    bad("DeleteRole", "DeleteConflict", **role)
    for name in ("one", "two", "three"):
        good("DeleteRolePolicy", **role, PolicyName=name)
    bad("DeleteRolePolicy", "NoSuchEntity", **role, PolicyName="one")
    good("DeleteRole", **role)
    bad("DeleteRole", "NoSuchEntity", **role)
    iam_simulation()
    iam_policies()
    bad("CreateUser", "InvalidAction", UserName="judge")


def iam_simulation():
    arn = good("CreateRole", RoleName="simulated", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    good("PutRolePolicy", RoleName="simulated", PolicyName="own", PolicyDocument=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "lambda:Get*", "Resource": "*"},
                      {"Effect": "Deny", "Action": "lambda:GetPolicy", "Resource": "*"}]}))
    asked = {"ActionNames": ["lambda:GetFunction", "lambda:GetPolicy", "iam:GetRole"], "ResourceArns": ["arn:aws:x"]}
    found = good("SimulatePrincipalPolicy", PolicySourceArn=arn, **asked)["EvaluationResults"]
    same([one["EvalDecision"] for one in found], ["allowed", "explicitDeny", "implicitDeny"])
    bad("SimulatePrincipalPolicy", "NoSuchEntity", PolicySourceArn=arn + "x", **asked)
    good("DeleteRolePolicy", RoleName="simulated", PolicyName="own")
    good("DeleteRole", RoleName="simulated")


def iam_policies():
    policy = {"PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/judges/own"}
    role = {"RoleName": "a"}
    bad("AttachRolePolicy", "NoSuchEntity", **role, **policy)
    made = good("CreatePolicy", PolicyName="own", Path="/judges/", PolicyDocument=POLICY, Description="a & b",
                Tags=[{"Key": "team", "Value": "web"}])["Policy"]
    same((made["Arn"], made["DefaultVersionId"], made["AttachmentCount"]), (policy["PolicyArn"], "v1", 0))
    bad("CreatePolicy", "EntityAlreadyExists", PolicyName="OWN", PolicyDocument=POLICY)
    bad("CreatePolicy", "MalformedPolicyDocument", PolicyName="other", PolicyDocument="{")
    for name in "xy":
        good("CreatePolicy", PolicyName=name, PolicyDocument=POLICY)
    good("AttachRolePolicy", **role, **policy)
    found = good("GetPolicy", **policy)["Policy"]
    same((found["Description"], found["AttachmentCount"], found["Tags"]),
         ("a & b", 1, [{"Key": "team", "Value": "web"}]))
    bad("GetPolicy", "NoSuchEntity", PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/none")
    same(sorted(item["PolicyName"] for item in pages("ListPolicies", "Policies", Scope="Local")), ["own", "x", "y"])
    attached = pages("ListPolicies", "Policies", OnlyAttached=True)
    same([item["PolicyName"] for item in attached], ["own"])
    for number in range(2, 6):
        good("CreatePolicyVersion", **policy, PolicyDocument=POLICY, SetAsDefault=number == 3)
    bad("CreatePolicyVersion", "LimitExceeded", **policy, PolicyDocument=POLICY)
    versions = pages("ListPolicyVersions", "Versions", **policy)
    same([(item["VersionId"], item["IsDefaultVersion"]) for item in versions],
         [("v5", False), ("v4", False), ("v3", True), ("v2", False), ("v1", False)])
    good("SetDefaultPolicyVersion", **policy, VersionId="v1")
    found = good("GetPolicyVersion", **policy, VersionId="v1")["PolicyVersion"]
    same((found["Document"], found["IsDefaultVersion"]), (json.loads(POLICY), True))
    bad("GetPolicyVersion", "NoSuchEntity", **policy, VersionId="v9")
    bad("DeletePolicyVersion", "DeleteConflict", **policy, VersionId="v1")
    bad("DeletePolicy", "DeleteConflict", **policy)
    good("DetachRolePolicy", **role, **policy)
    bad("DeletePolicy", "DeleteConflict", **policy)
    for number in range(2, 6):
        good("DeletePolicyVersion", **policy, VersionId=f"v{number}")
    good("DeletePolicy", **policy)
    bad("DeletePolicy", "NoSuchEntity", **policy)


def logs():
    name = {"logGroupName": "/aws/lambda/judge"}
    arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/lambda/judge"
    good("CreateLogGroup", **name, tags={"team": "web"})
    bad("CreateLogGroup", "ResourceAlreadyExistsException", **name)
    bad("CreateLogGroup", "InvalidParameterException", logGroupName="no spaces")
    for other in "abc":
        good("CreateLogGroup", logGroupName=other)
    good("PutRetentionPolicy", **name, retentionInDays=7)
    bad("PutRetentionPolicy", "InvalidParameterException", **name, retentionInDays=8)
    bad("PutRetentionPolicy", "ResourceNotFoundException", logGroupName="none", retentionInDays=7)
    same(sorted(group["logGroupName"] for group in pages("DescribeLogGroups", "logGroups")),
         ["/aws/lambda/judge", "a", "b", "c"])
    same(good("DescribeLogGroups", logGroupNamePrefix="/aws")["logGroups"][0]["retentionInDays"], 7)
    good("DeleteRetentionPolicy", **name)
    good("TagResource", resourceArn=arn, tags={"cost": "1"})
    good("UntagResource", resourceArn=arn, tagKeys=["team"])
    same(good("ListTagsForResource", resourceArn=arn)["tags"], {"cost": "1"})
    bad("ListTagsForResource", "ResourceNotFoundException", resourceArn=arn + "s")
    function()
    for _ in range(2):
        good("Invoke", of="lambda", FunctionName="judge", Payload=EVENT, LogType="Tail")
    streams = pages("DescribeLogStreams", "logStreams", **name)
    same(len(streams), 1)
    stream = {**name, "logStreamName": streams[0]["logStreamName"]}
    events = good("GetLogEvents", **stream, startFromHead=True, limit=2)
    same(len(events["events"]), 2)
    more = good("GetLogEvents", **stream, nextToken=events["nextForwardToken"])
    same([event["message"].split()[0] for event in more["events"]][-1], "REPORT")
    bad("GetLogEvents", "ResourceNotFoundException", **name, logStreamName="none")
    reports = pages("FilterLogEvents", "events", **name, filterPattern="REPORT")
    same(len(reports), 2)
    bad("FilterLogEvents", "ResourceNotFoundException", logGroupName="none")
    own = {**name, "logStreamName": "own"}
    bad("PutLogEvents", "ResourceNotFoundException", **own, logEvents=[{"timestamp": 1, "message": "lost"}])
    good("CreateLogStream", **own)
    bad("CreateLogStream", "ResourceAlreadyExistsException", **own)
    bad("CreateLogStream", "InvalidParameterException", **name, logStreamName="a:b")
    now = int(time.time() * 1000)
    events = [{"timestamp": now + at, "message": f"mine {at}"} for at in (-15 * DAY, -1, 0, DAY)]
    put = good("PutLogEvents", **own, logEvents=events)
    same(put["rejectedLogEventsInfo"], {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 3})
    bad("PutLogEvents", "InvalidParameterException", **own, logEvents=events[::-1])
    found = good("GetLogEvents", **own, startFromHead=True)["events"]
    same([event["message"] for event in found], ["mine -1", "mine 0"])
    bad("GetLogEvents", "InvalidParameterException", **own, nextToken="made-up")
    good("DeleteLogStream", **own)
    bad("DeleteLogStream", "ResourceNotFoundException", **own)
    good("DeleteLogGroup", **name)
    bad("DeleteLogGroup", "ResourceNotFoundException", **name)
    bad("DescribeLogStreams", "ResourceNotFoundException", **name)
    bad("DescribeMetricFilters", "UnknownOperationException")


def function(by=None, **settings):
    good("CreateRole", of="iam", RoleName="judge", AssumeRolePolicyDocument=TRUST)
    with open(zip_file, "rb") as file:
        code = file.read()
    role = f"arn:aws:iam::{ACCOUNT}:role/judge"
    made = good("CreateFunction", of="lambda", FunctionName="judge", Runtime="provided.al2023", Role=role,
                Handler="bootstrap", Code=by or {"ZipFile": code}, **settings)
    same(made.get("State"), "Pending")
    wait("function_active_v2")
    return made, code


def wait(waiter, **more):
    config = {"Delay": 0, "MaxAttempts": 100000}
    session.client("lambda").get_waiter(waiter).wait(FunctionName="judge", WaiterConfig=config, **more)


def layer_versions(arn):
    """Makes versions 1 to 3 of the layer, and deletes another."""
    with open(zip_file, "rb") as file:
        code = file.read()
    layer = {"LayerName": arn.split(":")[-2]}
    for number in (1, 2, 3, 4):
        made = good("PublishLayerVersion", **layer, Content={"ZipFile": code}, CompatibleRuntimes=["provided.al2023"])
        same(made["Version"], number)
    good("DeleteLayerVersion", **layer, VersionNumber=4)
    bad("GetLayerVersion", "ResourceNotFoundException", **layer, VersionNumber=4)
    found = good("GetLayerVersion", **layer, VersionNumber=3)
    same(found["LayerVersionArn"], arn)
    same(good("GetLayerVersionByArn", Arn=arn)["Content"]["CodeSha256"], found["Content"]["CodeSha256"])
    same([one["Version"] for one in good("ListLayerVersions", **layer)["LayerVersions"]], [3, 2, 1])
    same(good("ListLayers")["Layers"][0]["LatestMatchingVersion"]["Version"], 3)


def lambda_functions():
    name = {"FunctionName": "judge"}
    settings = {
        "Description": "a <judge>", "Timeout": 10, "MemorySize": 256, "Architectures": ["x86_64"],
        "Environment": {"Variables": {"KEY": "value"}}, "Tags": {"team": "web"}, "EphemeralStorage": {"Size": 1024},
        "TracingConfig": {"Mode": "Active"}, "DeadLetterConfig": {"TargetArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead"},
        "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        "FileSystemConfigs": [{
            "Arn": f"arn:aws:elasticfilesystem:us-east-1:{ACCOUNT}:access-point/fsap-0123456789abcdef0",
            "LocalMountPath": "/mnt/files",
        }],
        "KMSKeyArn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1", "SnapStart": {"ApplyOn": "None"},
        "Layers": [f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:certificates:3"],
        "LoggingConfig": {"LogFormat": "JSON", "ApplicationLogLevel": "DEBUG", "LogGroup": "/judges"},
    }
    layer_versions(settings["Layers"][0])
    made, code = function(**settings)
    bad("CreateFunction", "ResourceConflictException", **name, Runtime="provided.al2023", Handler="bootstrap",
        Role=made["Role"], Code={"ZipFile": code})
    bad("CreateFunction", "InvalidParameterValueException", FunctionName="other", Runtime="provided.al2023",
        Handler="bootstrap", Role=made["Role"] + "s", Code={"ZipFile": code})
    bad("CreateFunction", "ValidationException", FunctionName="other", Runtime="provided.al2023",
        Handler="bootstrap", Role=made["Role"], Code={"ZipFile": code}, MemorySize=1)
    found = good("GetFunction", **name)
    same(found["Tags"], {"team": "web"})
    for key in set(settings) - {"Tags", "Layers", "SnapStart", "LoggingConfig"}:
        same(found["Configuration"].get(key), settings[key])
    same(found["Configuration"]["LoggingConfig"]["ApplicationLogLevel"], "DEBUG")
    same([layer["Arn"] for layer in found["Configuration"]["Layers"]], settings["Layers"])
    bad("GetFunction", "ResourceNotFoundException", FunctionName="unknown")
    same(good("GetFunctionConfiguration", **name)["State"], "Active")
    changed = good("UpdateFunctionConfiguration", **name, MemorySize=128, Layers=[], KMSKeyArn="")
    same(changed["LastUpdateStatus"], "InProgress")
    bad("UpdateFunctionCode", "ResourceConflictException", **name, ZipFile=code)
    wait("function_updated_v2")
    bad("UpdateFunctionConfiguration", "PreconditionFailedException", **name, RevisionId=changed["RevisionId"])
    good("UpdateFunctionCode", **name, ZipFile=code, DryRun=True)
    good("UpdateFunctionCode", **name, ZipFile=code)
    wait("function_updated_v2")
    for role in "bc":
        good("CreateFunction", FunctionName=role, Runtime="provided.al2023", Handler="bootstrap", Role=made["Role"],
             Code={"ZipFile": code}, Publish=True)
    same(sorted(found["FunctionName"] for found in pages("ListFunctions", "Functions")), ["b", "c", "judge"])
    good("ListFunctions", FunctionVersion="ALL")


def lambda_releases():
    name = {"FunctionName": "judge"}
    same(good("PublishVersion", **name, Description="first")["Version"], "1")
    wait("published_version_active", Qualifier="1")
    good("UpdateFunctionConfiguration", **name, Description="second")
    wait("function_updated_v2")
    same(good("PublishVersion", **name)["Version"], "2")
    bad("PublishVersion", "InvalidParameterValueException", **name, CodeSha256="no")
    same([version["Version"] for version in pages("ListVersionsByFunction", "Versions", **name)], ["$LATEST", "1", "2"])
    live = {**name, "Name": "live"}
    weights = {"AdditionalVersionWeights": {"2": 0.25}}
    good("CreateAlias", **live, FunctionVersion="1", Description="what is live", RoutingConfig=weights)
    bad("CreateAlias", "ResourceConflictException", **live, FunctionVersion="1")
    bad("CreateAlias", "ResourceNotFoundException", **name, Name="other", FunctionVersion="9")
    same(good("GetAlias", **live)["RoutingConfig"], weights)
    bad("GetAlias", "ResourceNotFoundException", **name, Name="none")
    bad("DeleteFunction", "ResourceConflictException", **name, Qualifier="1")
    for other in "ab":
        good("CreateAlias", **name, Name=other, FunctionVersion="2")
    good("UpdateAlias", **live, FunctionVersion="2", RoutingConfig={})
    bad("UpdateAlias", "PreconditionFailedException", **live, RevisionId="00000000-0000-0000-0000-000000000000")
    good("UpdateAlias", **live, RoutingConfig={"AdditionalVersionWeights": {}})
    provisioned()
    same([alias["Name"] for alias in pages("ListAliases", "Aliases", **name)], ["a", "b", "live"])
    good("DeleteAlias", **name, Name="b")


def lambda_urls():
    live = {"FunctionName": "judge", "Qualifier": "live"}
    cors = {"AllowOrigins": ["https://a.example"], "AllowMethods": ["GET"], "AllowHeaders": ["x-a"],
            "ExposeHeaders": ["x-b"], "MaxAge": 60, "AllowCredentials": True}
    made = good("CreateFunctionUrlConfig", **live, AuthType="NONE", InvokeMode="RESPONSE_STREAM", Cors=cors)
    bad("CreateFunctionUrlConfig", "ResourceConflictException", **live, AuthType="NONE")
    bad("CreateFunctionUrlConfig", "ValidationException", FunctionName="judge", Qualifier="1", AuthType="NONE")
    good("CreateFunctionUrlConfig", FunctionName="judge", AuthType="AWS_IAM")
    good("CreateFunctionUrlConfig", FunctionName="judge", Qualifier="a", AuthType="AWS_IAM")
    same(good("GetFunctionUrlConfig", **live)["Cors"], cors)
    same(good("UpdateFunctionUrlConfig", **live, InvokeMode="BUFFERED")["FunctionUrl"], made["FunctionUrl"])
    same(len(pages("ListFunctionUrlConfigs", "FunctionUrlConfigs", FunctionName="judge")), 3)
    good("DeleteFunctionUrlConfig", **live)
    bad("GetFunctionUrlConfig", "ResourceNotFoundException", **live)
    bad("DeleteFunctionUrlConfig", "ResourceNotFoundException", **live)


def lambda_permissions():
    live = {"FunctionName": "judge", "Qualifier": "live"}
    bad("GetPolicy", "ResourceNotFoundException", **live)
    public = {"Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE"}
    statement = json.loads(good("AddPermission", **live, StatementId="one", **public)["Statement"])
    same(statement["Condition"], {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}})
    good("AddPermission", **live, StatementId="two", Action="lambda:InvokeFunction", Principal="*",
         InvokedViaFunctionUrl=True)
    good("AddPermission", FunctionName="judge", StatementId="three", Action="lambda:InvokeFunction",
         Principal="events.amazonaws.com", SourceArn=f"arn:aws:events:us-east-1:{ACCOUNT}:rule/x", SourceAccount=ACCOUNT)
    bad("AddPermission", "ResourceConflictException", **live, StatementId="one", **public)
    statements = json.loads(good("GetPolicy", **live)["Policy"])["Statement"]
    same([statement["Sid"] for statement in statements], ["one", "two"])
    good("RemovePermission", **live, StatementId="one")
    bad("RemovePermission", "ResourceNotFoundException", **live, StatementId="one")
    bad("AddPermission", "PreconditionFailedException", **live, StatementId="one", **public,
        RevisionId="00000000-0000-0000-0000-000000000000")


def lambda_account():
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:judge"
    good("TagResource", Resource=arn, Tags={"cost": "1", "a b": "/+ ü"})
    good("UntagResource", Resource=arn, TagKeys=["team", "none"])
    same(good("ListTags", Resource=arn)["Tags"], {"cost": "1", "a b": "/+ ü"})
    bad("TagResource", "InvalidParameterValueException", Resource=arn, Tags={"aws:x": "1"})
    same(good("GetFunctionConcurrency", FunctionName="judge").get("ReservedConcurrentExecutions"), None)
    good("PutFunctionConcurrency", FunctionName="judge", ReservedConcurrentExecutions=5)
    bad("PutFunctionConcurrency", "InvalidParameterValueException", FunctionName="judge", ReservedConcurrentExecutions=990)
    same(good("GetFunctionConcurrency", FunctionName="judge")["ReservedConcurrentExecutions"], 5)
    same(good("GetFunction", FunctionName="judge")["Concurrency"], {"ReservedConcurrentExecutions": 5})
    same(good("GetAccountSettings")["AccountUsage"]["FunctionCount"], 3)
    good("PutFunctionConcurrency", FunctionName="judge", ReservedConcurrentExecutions=0)
    bad("Invoke", "TooManyRequestsException", FunctionName="judge", Payload=EVENT)
    good("DeleteFunctionConcurrency", FunctionName="judge")


def lambda_management():
    name = {"FunctionName": "judge"}
    same(good("GetFunctionRecursionConfig", **name)["RecursiveLoop"], "Terminate")
    good("PutFunctionRecursionConfig", **name, RecursiveLoop="Allow")
    same(good("GetFunctionRecursionConfig", **name)["RecursiveLoop"], "Allow")
    same(good("GetRuntimeManagementConfig", **name)["UpdateRuntimeOn"], "Auto")
    good("PutRuntimeManagementConfig", **name, Qualifier="2", UpdateRuntimeOn="FunctionUpdate")
    same(good("GetRuntimeManagementConfig", **name, Qualifier="2")["UpdateRuntimeOn"], "FunctionUpdate")
    bad("PutRuntimeManagementConfig", "InvalidParameterValueException", **name, UpdateRuntimeOn="Manual")
    bad("GetFunctionEventInvokeConfig", "ResourceNotFoundException", **name)
    same(pages("ListFunctionEventInvokeConfigs", "FunctionEventInvokeConfigs", **name), [])
    good("PutFunctionEventInvokeConfig", **name, MaximumRetryAttempts=0)
    same(good("GetFunctionEventInvokeConfig", **name)["MaximumRetryAttempts"], 0)
    same(len(pages("ListFunctionEventInvokeConfigs", "FunctionEventInvokeConfigs", **name)), 1)
    good("DeleteFunctionEventInvokeConfig", **name)
    bad("DeleteFunctionEventInvokeConfig", "ResourceNotFoundException", **name)


def lambda_invocations():
    live = {"FunctionName": "judge", "Qualifier": "live"}
    wait("published_version_active", Qualifier="2")
    answer = good("Invoke", **live, Payload=EVENT, LogType="Tail")
    head, _, body = answer["Payload"].read().partition(bytes(8))
    same(json.loads(head)["statusCode"], 200)
    same(b"/stream/chat" in body, True)
    same((answer["ExecutedVersion"], "LogResult" in answer, "FunctionError" in answer), ("2", True, False))
    same(good("Invoke", **live, Payload=EVENT, InvocationType="DryRun")["StatusCode"], 204)
    bad("Invoke", "InvalidRequestContentException", **live, Payload="{")
    bad("Invoke", "ResourceNotFoundException", FunctionName="judge", Qualifier="none", Payload=EVENT)
    answer = good("InvokeWithResponseStream", **live, Payload=EVENT, LogType="Tail")
    same((answer["StatusCode"], answer["ExecutedVersion"]), (200, "2"))
    frames(answer["EventStream"])
    bad("InvokeWithResponseStream", "ResourceNotFoundException", FunctionName="none", Payload=EVENT)


def frames(stream):
    """The raw frames against the shape of the event stream."""
    judge = session.last
    shape = judge.operation.output_shape.members["EventStream"]
    names, payload = [], b""
    for message in stream._event_generator:
        names.append(message.headers[":event-type"])
        same(message.headers[":message-type"], "event")
        member = shape.members[names[-1]]
        if names[-1] == "PayloadChunk":
            payload += message.payload
        else:
            Answer.walk(judge, json.loads(message.payload), member, "$")
            same("LogResult" in json.loads(message.payload), True)
    session.problems += judge.problems
    same(set(names[:-1]) | {names[-1]}, {"PayloadChunk", "InvokeComplete"})
    same(names.index("InvokeComplete"), len(names) - 1)
    same(b"/stream/chat" in payload, True)


def lambda_end():
    bad("DeleteFunction", "InvalidParameterValueException", FunctionName="judge", Qualifier="$LATEST")
    good("DeleteFunction", FunctionName="judge", Qualifier="1")
    good("DeleteFunction", FunctionName="judge")
    bad("DeleteFunction", "ResourceNotFoundException", FunctionName="judge")
    bad("ListEventSourceMappings", "UnknownOperationException")


def ssm():
    name = {"Name": "/judge/token"}
    good("PutParameter", **name, Value="one <&>", Type="SecureString", Description="a token")
    bad("PutParameter", "ParameterAlreadyExists", **name, Value="two", Type="SecureString")
    same(good("PutParameter", **name, Value="two", Overwrite=True)["Version"], 2)
    bad("PutParameter", "HierarchyTypeMismatchException", **name, Value="three", Type="String", Overwrite=True)
    bad("PutParameter", "ValidationException", Name="untyped", Value="x")
    bad("PutParameter", "ValidationException", Name="no spaces", Value="x", Type="String")
    bad("PutParameter", "ValidationException", Name="large", Value="x" * 4097, Type="String")
    good("PutParameter", Name="plain", Value="a text", Type="String")
    good("PutParameter", Name="list", Value="a,b", Type="StringList")
    sealed = good("GetParameter", **name)["Parameter"]
    same((sealed["Version"], "two" in sealed["Value"]), (2, False))
    opened = good("GetParameter", **name, WithDecryption=True)["Parameter"]
    same((opened["Value"], opened["Type"], opened["DataType"]), ("two", "SecureString", "text"))
    same(opened["ARN"], f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/judge/token")
    same(good("GetParameter", Name=opened["ARN"], WithDecryption=True)["Parameter"]["Value"], "two")
    first = good("GetParameter", Name="/judge/token:1", WithDecryption=True)["Parameter"]
    same((first["Value"], first["Name"], first["Selector"]), ("one <&>", "/judge/token", ":1"))
    bad("GetParameter", "ParameterVersionNotFound", Name="/judge/token:9")
    bad("GetParameter", "ParameterNotFound", Name="/judge/none")
    several = good("GetParameters", Names=["plain", "none", "/judge/token", "list", "plain:7"], WithDecryption=True)
    same([found["Value"] for found in several["Parameters"]], ["a text", "two", "a,b"])
    same(several["InvalidParameters"], ["none", "plain:7"])
    bad("GetParameters", "ValidationException", Names=[f"n{number}" for number in range(11)])
    described = good("DescribeParameters", ParameterFilters=[{"Key": "Path", "Option": "OneLevel", "Values": ["/judge"]},
                                                             {"Key": "Type", "Values": ["SecureString"]}])["Parameters"]
    same([(one["Name"], one["Type"], one["Version"], one["Description"], one["KeyId"]) for one in described],
         [("/judge/token", "SecureString", 2, "a token", "alias/aws/ssm")])
    same(all("Value" not in one and one["LastModifiedUser"].startswith("arn:aws:") for one in described), True)
    one = good("DescribeParameters", MaxResults=1)
    two = good("DescribeParameters", MaxResults=50, NextToken=one["NextToken"])
    same(sorted(found["Name"] for found in one["Parameters"] + two["Parameters"]), ["/judge/token", "list", "plain"])
    same("NextToken" in two, False)
    bad("DescribeParameters", "InvalidFilterKey", ParameterFilters=[{"Key": "Nothing", "Values": ["x"]}])
    bad("DescribeParameters", "InvalidFilterOption",
        ParameterFilters=[{"Key": "Path", "Option": "Equals", "Values": ["/judge"]}])
    bad("DescribeParameters", "ValidationException", MaxResults=51)
    good("DeleteParameter", **name)
    bad("DeleteParameter", "ParameterNotFound", **name)
    bad("GetParameter", "ParameterNotFound", **name)
    bad("GetParameterHistory", "UnknownOperationException")


def secretsmanager():
    name, token = {"SecretId": "judge/token"}, "0" * 32
    made = good("CreateSecret", Name="judge/token", SecretString="one", Description="a token",
                Tags=[{"Key": "team", "Value": "web"}], ClientRequestToken=token)
    same((made["Name"], made["VersionId"]), ("judge/token", token))
    second = good("CreateSecret", Name="judge/token", SecretString="one", ClientRequestToken=token)
    same(second["ARN"], made["ARN"])
    bad("CreateSecret", "ResourceExistsException", Name="judge/token", SecretString="two")
    bad("CreateSecret", "InvalidParameterException", Name="both", SecretString="a", SecretBinary=b"b")
    bad("CreateSecret", "ValidationException", Name="no spaces", SecretString="a")
    found = good("GetSecretValue", **name)
    same((found["SecretString"], found["VersionStages"], found["ARN"]), ("one", ["AWSCURRENT"], made["ARN"]))
    bad("PutSecretValue", "ResourceExistsException", **name, SecretString="two", ClientRequestToken=token)
    bad("PutSecretValue", "InvalidParameterException", **name)
    second = good("PutSecretValue", **name, SecretString="two")
    same(second["VersionStages"], ["AWSCURRENT"])
    for meant in ("judge/token", made["ARN"], made["ARN"][:-7]):
        same(good("GetSecretValue", SecretId=meant)["SecretString"], "two")
    same(good("GetSecretValue", **name, VersionStage="AWSPREVIOUS")["SecretString"], "one")
    same(good("GetSecretValue", **name, VersionId=token)["VersionStages"], ["AWSPREVIOUS"])
    bad("GetSecretValue", "ResourceNotFoundException", **name, VersionStage="AWSPENDING")
    bad("GetSecretValue", "ResourceNotFoundException", **name, VersionId="1" * 32)
    bad("GetSecretValue", "InvalidRequestException", **name, VersionId=token, VersionStage="AWSCURRENT")
    bad("GetSecretValue", "ResourceNotFoundException", SecretId="none")
    good("CreateSecret", Name="bytes", SecretBinary=b"\x00\xff")
    same(good("GetSecretValue", SecretId="bytes")["SecretBinary"], b"\x00\xff")
    good("CreateSecret", Name="empty")
    bad("GetSecretValue", "ResourceNotFoundException", SecretId="empty")
    bad("DeleteSecret", "InvalidParameterException", **name, RecoveryWindowInDays=3)
    good("DeleteSecret", **name, RecoveryWindowInDays=7)
    bad("GetSecretValue", "InvalidRequestException", **name)
    bad("PutSecretValue", "InvalidRequestException", **name, SecretString="three")
    bad("CreateSecret", "InvalidRequestException", Name="judge/token", SecretString="three")
    good("DeleteSecret", **name, ForceDeleteWithoutRecovery=True)
    bad("GetSecretValue", "ResourceNotFoundException", **name)
    bad("DeleteSecret", "ResourceNotFoundException", **name)
    good("CreateSecret", Name="judge/token", SecretString="again")
    bad("ListSecrets", "UnknownOperationException")


def provisioned():
    live = {"FunctionName": "judge", "Qualifier": "live"}
    missing = "ProvisionedConcurrencyConfigNotFoundException"
    bad("GetProvisionedConcurrencyConfig", missing, **live)
    bad("PutProvisionedConcurrencyConfig", "InvalidParameterValueException", FunctionName="judge", Qualifier="$LATEST",
        ProvisionedConcurrentExecutions=1)
    bad("PutProvisionedConcurrencyConfig", "ResourceNotFoundException", FunctionName="judge", Qualifier="none",
        ProvisionedConcurrentExecutions=1)
    asked = good("PutProvisionedConcurrencyConfig", **live, ProvisionedConcurrentExecutions=2)
    same((asked["Status"], asked["RequestedProvisionedConcurrentExecutions"]), ("IN_PROGRESS", 2))
    while good("GetProvisionedConcurrencyConfig", **live)["Status"] != "READY":
        pass
    listed_ones = pages("ListProvisionedConcurrencyConfigs", "ProvisionedConcurrencyConfigs", FunctionName="judge")
    same([item["FunctionArn"].split(":")[-1] for item in listed_ones], [live["Qualifier"]])
    good("DeleteProvisionedConcurrencyConfig", **live)
    bad("GetProvisionedConcurrencyConfig", missing, **live)


def s3():
    bucket, key = {"Bucket": "judge-bucket"}, {"Bucket": "judge-bucket", "Key": "a folder/an object <&>.zip"}
    bad("HeadBucket", "404", **bucket)
    bad("GetObject", "NoSuchBucket", **key)
    bad("PutObject", "NoSuchBucket", **key, Body=b"x")
    bad("CreateBucket", "InvalidBucketName", Bucket="Judge_Bucket")
    bad("CreateBucket", "IllegalLocationConstraintException", **bucket,
        CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    same(good("CreateBucket", **bucket)["Location"], "/judge-bucket")
    # In us-east-1 one's own bucket may be created again.
    same(good("CreateBucket", **bucket)["Location"], "/judge-bucket")
    good("HeadBucket", **bucket)
    bad("HeadBucket", "403", **bucket, ExpectedBucketOwner="123456789012")
    bad("GetBucketTagging", "NoSuchTagSet", **bucket)
    tags = [{"Key": "cost", "Value": ""}, {"Key": "team", "Value": "web <&>"}]
    good("PutBucketTagging", **bucket, Tagging={"TagSet": tags})
    same(good("GetBucketTagging", **bucket)["TagSet"], tags)
    bad("GetObject", "NoSuchKey", **key)
    made = good("PutObject", **key, Body=b"\x00\xff" * 1000, ContentType="application/zip")
    found = good("GetObject", **key)
    same((found["Body"].read(), found["ETag"], found["ContentType"]), (b"\x00\xff" * 1000, made["ETag"], "application/zip"))
    same(good("HeadObject", **key)["ContentLength"], 2000)
    bad("DeleteBucket", "BucketNotEmpty", **bucket)
    with open(zip_file, "rb") as file:
        good("PutObject", Bucket="judge-bucket", Key="code.zip", Body=file.read())
    listed = [item["Key"] for item in good("ListObjectsV2", **bucket)["Contents"]]
    same(listed, sorted([key["Key"], "code.zip"]))
    bad("ListObjects", "NotImplemented", **bucket)
    made, _ = function(by={"S3Bucket": "judge-bucket", "S3Key": "code.zip"})
    same(made["CodeSize"] > 1000, True)
    bad("CreateFunction", "InvalidParameterValueException", of="lambda", FunctionName="other", Runtime="provided.al2023",
        Handler="bootstrap", Role=made["Role"], Code={"S3Bucket": "judge-bucket", "S3Key": "none"})
    s3_multipart(bucket, key)
    for name in (key["Key"], "code.zip", "none"):
        good("DeleteObject", Bucket="judge-bucket", Key=name)
    good("DeleteBucket", **bucket)
    bad("DeleteBucket", "NoSuchBucket", **bucket)


def s3_multipart(bucket, key):
    bad("CreateMultipartUpload", "NoSuchBucket", Bucket="judge-other", Key="x")
    bad("UploadPart", "NoSuchUpload", **key, UploadId="none", PartNumber=1, Body=b"x")
    begun = good("CreateMultipartUpload", **key, ChecksumAlgorithm="SHA256", ContentType="application/zip")
    upload = {**key, "UploadId": begun["UploadId"]}
    sha = {"ChecksumAlgorithm": "SHA256"}
    bad("UploadPart", "InvalidArgument", **upload, **sha, PartNumber=0, Body=b"x")
    bad("UploadPart", "InvalidRequest", **upload, PartNumber=1, Body=b"x", ChecksumAlgorithm="CRC32")
    wrong = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    bad("UploadPart", "BadDigest", **upload, PartNumber=1, Body=b"x", ChecksumSHA256=wrong)
    bodies = {1: b"a" * (5 << 20), 2: b"b", 7: b"c"}
    made = {number: good("UploadPart", **upload, **sha, PartNumber=number, Body=body) for number, body in bodies.items()}
    parts = [{"PartNumber": number, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]}
             for number, part in made.items()]
    found = pages("ListParts", "Parts", **upload)
    same([(part["PartNumber"], part["Size"], part["ETag"], part["ChecksumSHA256"]) for part in found],
         [(part["PartNumber"], len(bodies[part["PartNumber"]]), part["ETag"], part["ChecksumSHA256"]) for part in parts])
    uploads = good("ListMultipartUploads", **bucket, Prefix="a folder/")["Uploads"]
    same([(one["Key"], one["UploadId"], one["ChecksumAlgorithm"]) for one in uploads],
         [(key["Key"], begun["UploadId"], "SHA256")])
    same(good("ListMultipartUploads", **bucket, Prefix="b").get("Uploads"), None)

    def whole(*parts):
        return {**upload, "MultipartUpload": {"Parts": list(parts)}}
    first, last, small = parts
    bad("CompleteMultipartUpload", "MalformedXML", **upload, MultipartUpload={"Parts": []})
    bad("CompleteMultipartUpload", "InvalidPartOrder", **whole(last, first))
    bad("CompleteMultipartUpload", "InvalidPart", **whole(first, {**last, "ETag": first["ETag"]}))
    bad("CompleteMultipartUpload", "InvalidPart", **whole(first, {**last, "PartNumber": 3}))
    bad("CompleteMultipartUpload", "InvalidRequest", **whole({**first, "ChecksumSHA256": None}))
    bad("CompleteMultipartUpload", "EntityTooSmall", **whole(first, last, small))
    made = good("CompleteMultipartUpload", **whole(first, last))
    same((made["ETag"][-3:], made["ChecksumSHA256"][-2:], made["ChecksumType"]), ('-2"', "-2", "COMPOSITE"))
    bad("CompleteMultipartUpload", "NoSuchUpload", **whole(first, last))
    found = good("GetObject", **key)
    same((found["Body"].read(), found["ETag"], found["ContentType"]),
         (bodies[1] + bodies[2], made["ETag"], "application/zip"))
    same(good("HeadObject", **key, ChecksumMode="ENABLED")["ChecksumSHA256"], made["ChecksumSHA256"])

    upload["UploadId"] = good("CreateMultipartUpload", **key)["UploadId"]
    good("UploadPart", **upload, PartNumber=1, Body=b"x")
    good("AbortMultipartUpload", **upload)
    bad("AbortMultipartUpload", "NoSuchUpload", **upload)
    bad("ListParts", "NoSuchUpload", **upload)


def lambda_():
    lambda_functions()
    lambda_releases()
    lambda_urls()
    lambda_permissions()
    lambda_account()
    lambda_management()
    lambda_invocations()
    lambda_end()


def listed():
    """The service's operations in the README's table."""
    title = {"sts": "STS", "iam": "IAM", "logs": "Logs", "lambda": "Lambda", "ssm": "SSM",
             "secretsmanager": "Secrets Manager", "s3": "S3"}[service]
    with open(readme, encoding="utf-8") as file:
        row = next(line for line in file if line.startswith(f"| {title} |"))
    words = re.sub(r"\([^)]*\)|[·`,]", " ", row.split("|")[2]).split()
    known = set(session.client(service).meta.service_model.operation_names)
    unknown = [word for word in words if word not in known]
    assert not unknown, f"the README's {title} row names unknown operations: {unknown}"
    return set(words)


try:
    {"sts": sts, "iam": iam, "logs": logs, "lambda": lambda_, "ssm": ssm, "secretsmanager": secretsmanager,
     "s3": s3}[service]()
except Exception:
    # What went wrong before says more.
    print(*dict.fromkeys(session.problems), sep="\n")
    raise
for operation in sorted(listed()):
    answers = session.seen.get(f"{service}.{operation}", [])
    print(service, operation, *(f"{status}" if code is None else f"{status}:{code}" for status, code in answers))
    if not any(code is None for _, code in answers):
        session.problems.append(f"{operation} is in the README, but no successful answer to it was judged")
print(f"{service}: {session.spoiled} spoiled answers were seen to be wrong")
unlisted = {
    name for name, answers in session.seen.items()
    if name.startswith(f"{service}.") and any(code is None for _, code in answers)
} - {f"{service}.{name}" for name in listed()}
session.problems += [f"{name} works but is not in the README" for name in unlisted]
for problem in dict.fromkeys(session.problems):
    print("WRONG", problem)
sys.exit(bool(session.problems))
