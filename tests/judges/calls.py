"""A long script of calls in a random order from a fixed seed, illegal ones among them."""
import io
import random
import zipfile

from session import POLICY, TRUST

SEED = 20261122
ACCOUNT = "000000000000"
REGION = "us-east-1"
ROLES, FUNCTIONS, ALIASES = ["r1", "r2", "r3"], ["f1", "f2"], ["live", "beta"]
VERSIONS = ["1", "2", "3", "99"]
GROUPS = ["/aws/lambda/f1", "/other"]
MANAGED = ["AWSXRayDaemonWriteAccess", "ReadOnlyAccess"]
OWN = ["own", "other"]
POLICY_CALLS = 100
# Placeholders for a RevisionId: each cloud has its own.
CURRENT, STALE = "{current}", "00000000-0000-0000-0000-000000000000"


def code(text):
    """A zip, always of the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, f"#!/bin/sh\n# {text}\n")
    return buffer.getvalue()


def role_arn(name):
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def policy_arn(name):
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"


def function_arn(name):
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def group_arn(name):
    return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}"


def create_function(name, role, text="one", **more):
    return "lambda", "CreateFunction", {
        "FunctionName": name, "Runtime": "provided.al2023", "Role": role_arn(role), "Handler": "bootstrap",
        "Code": {"ZipFile": code(text)}, **more,
    }


class Script:
    def __init__(self, seed=SEED):
        self.random = random.Random(seed)
        self.number = 0

    def one(self, *choices):
        return self.random.choice(choices)

    def maybe(self, **member):
        """A member, or nothing."""
        return member if self.random.random() < 0.5 else {}

    def new(self):
        """A number that was never there: moto takes an update without a change for a change."""
        self.number += 1
        return self.number

    def tags(self):
        return {key: self.one("1", "2", "") for key in self.random.sample(["team", "cost", "a b"], 2)}

    def identity(self):
        # The first role is the functions', and stays as it is.
        role, one = self.one(*ROLES[1:]), self.one
        trust = one(TRUST, TRUST, TRUST, TRUST.replace("lambda", "ec2"))
        policy = one("p1", "p2", "p3")
        managed = f"arn:aws:iam::aws:policy/{one(*MANAGED)}"
        tags = [{"Key": key, "Value": value} for key, value in self.tags().items()]
        name = {"RoleName": role}
        return "iam", *one(
            ("CreateRole", {**name, "AssumeRolePolicyDocument": trust, **self.maybe(Description="d"),
                            **self.maybe(Tags=tags), **self.maybe(MaxSessionDuration=7200)}),
            ("CreateRole", {**name, "AssumeRolePolicyDocument": trust}),
            ("CreateRole", {**name, "AssumeRolePolicyDocument": trust, "Path": "/service/"}),
            ("GetRole", name), ("ListRoles", {}), ("DeleteRole", name),
            ("UpdateRole", {**name, **self.maybe(Description="new"), **self.maybe(MaxSessionDuration=3600)}),
            ("UpdateAssumeRolePolicy", {**name, "PolicyDocument": trust}),
            ("PutRolePolicy", {**name, "PolicyName": policy, "PolicyDocument": POLICY}),
            ("PutRolePolicy", {**name, "PolicyName": policy, "PolicyDocument": "{"}),
            ("GetRolePolicy", {**name, "PolicyName": policy}),
            ("DeleteRolePolicy", {**name, "PolicyName": policy}),
            ("DeleteRolePolicy", {**name, "PolicyName": policy}),
            ("ListRolePolicies", name),
            ("AttachRolePolicy", {**name, "PolicyArn": managed}),
            ("DetachRolePolicy", {**name, "PolicyArn": managed}),
            ("DetachRolePolicy", {**name, "PolicyArn": managed}),
            ("ListAttachedRolePolicies", name),
            ("TagRole", {**name, "Tags": tags}),
            ("UntagRole", {**name, "TagKeys": [one("team", "cost", "none")]}),
            ("ListRoleTags", name),
            ("PutRolePermissionsBoundary", {**name, "PermissionsBoundary": f"arn:aws:iam::aws:policy/{MANAGED[1]}"}),
            ("DeleteRolePermissionsBoundary", name),
        )

    def policies(self):
        """The account's own policies, and the one role that stays."""
        own, one = self.one(*OWN), self.one
        arn, number, role = {"PolicyArn": policy_arn(own)}, {"VersionId": one("v1", "v2", "v3")}, {"RoleName": "r1"}
        create = ("CreatePolicy", {"PolicyName": own, "PolicyDocument": POLICY, **self.maybe(Description="d")})
        return "iam", *one(
            create, create, ("GetPolicy", arn), ("ListPolicies", {"Scope": "Local"}), ("DeletePolicy", arn),
            ("CreatePolicyVersion", {**arn, "PolicyDocument": POLICY, **self.maybe(SetAsDefault=True)}),
            ("CreatePolicyVersion", {**arn, "PolicyDocument": POLICY}),
            ("GetPolicyVersion", {**arn, **number}), ("ListPolicyVersions", arn),
            ("SetDefaultPolicyVersion", {**arn, **number}), ("DeletePolicyVersion", {**arn, **number}),
            ("AttachRolePolicy", {**role, **arn}), ("DetachRolePolicy", {**role, **arn}),
        )

    def logs(self):
        group, one = self.one(*GROUPS, "/missing"), self.one
        name, arn = {"logGroupName": group}, {"resourceArn": group_arn(group)}
        create = [] if group == "/missing" else [("CreateLogGroup", {**name, **self.maybe(tags=self.tags())})]
        return "logs", *one(
            *create, *create,
            ("DeleteLogGroup", name),
            ("PutRetentionPolicy", {**name, "retentionInDays": one(1, 7, 30, 3653)}),
            ("DeleteRetentionPolicy", name),
            ("DescribeLogGroups", {}), ("DescribeLogGroups", {"logGroupNamePrefix": one("/aws", "/o", "/x")}),
            ("TagResource", {**arn, "tags": self.tags()}), ("UntagResource", {**arn, "tagKeys": [one("team", "cost")]}),
            ("ListTagsForResource", arn), ("FilterLogEvents", name), ("DescribeLogStreams", name),
        )

    def function(self):
        name, one = {"FunctionName": self.one(*FUNCTIONS * 4, "missing")}, self.one
        revision = one({}, {}, {}, {"RevisionId": CURRENT}, {"RevisionId": STALE})
        settings = {"Description": f"change {self.new()}", **one(
            {"MemorySize": one(128, 256)}, {"Timeout": one(3, 30)}, {"Handler": one("bootstrap", "other")},
            {"Environment": {"Variables": {"KEY": one("1", "2")}}}, {"Environment": {"Variables": {}}},
            {"Role": role_arn(one(*ROLES))},
        )}
        made = [] if name["FunctionName"] == "missing" else [create_function(
            name["FunctionName"], one("r1", "r1", "r2"), one("one", "two"), **self.maybe(Tags=self.tags()),
            # moto publishes a function's first version twice where it was not published at once.
            Publish=True, **self.maybe(Environment={"Variables": {"KEY": "0"}}),
            **self.maybe(Architectures=["arm64"]),
        )[1:]]
        arn = {"Resource": function_arn(name["FunctionName"])}
        delete = [("DeleteFunction", name)] if self.random.random() < 0.1 else []
        return "lambda", *one(
            *made, *made, *made, *delete,
            ("DeleteFunction", {**name, "Qualifier": one("99", "$LATEST")}),
            ("GetFunction", {**name, **self.qualifier()}), ("GetFunctionConfiguration", {**name, **self.qualifier()}),
            ("ListFunctions", {}), ("ListFunctions", {"FunctionVersion": "ALL"}),
            ("UpdateFunctionConfiguration", {**name, **settings, **revision}),
            ("UpdateFunctionConfiguration", {**name, **settings, **revision}),
            ("UpdateFunctionCode", {**name, "ZipFile": code(self.new()), **revision}),
            ("UpdateFunctionCode", {**name, "ZipFile": code("dry"), "DryRun": True}),
            ("TagResource", {**arn, "Tags": self.tags()}), ("UntagResource", {**arn, "TagKeys": [one("team", "cost")]}),
            ("ListTags", arn),
            ("PutFunctionConcurrency", {**name, "ReservedConcurrentExecutions": one(0, 5, 10)}),
            ("GetFunctionConcurrency", name), ("DeleteFunctionConcurrency", name),
        )

    def qualifier(self):
        return self.maybe(Qualifier=self.one("$LATEST", *VERSIONS, *ALIASES))

    def release(self):
        name, one = {"FunctionName": self.one(*FUNCTIONS * 4, "missing")}, self.one
        alias = {**name, "Name": one(*ALIASES)}
        target = {"FunctionVersion": one("$LATEST", *VERSIONS)}
        revision = one({}, {}, {}, {"RevisionId": CURRENT}, {"RevisionId": STALE})
        weights = {"RoutingConfig": {"AdditionalVersionWeights": {one("1", "2", "99"): one(0.25, 1.0)}}}
        return "lambda", *one(
            ("PublishVersion", {**name, **self.maybe(Description="d"), **revision}),
            ("PublishVersion", {**name, **one({}, {"CodeSha256": "no"})}),
            ("ListVersionsByFunction", name),
            ("CreateAlias", {**alias, **target, **self.maybe(Description="a")}),
            ("CreateAlias", {**alias, **target, **self.maybe(**weights)}),
            ("GetAlias", alias), ("ListAliases", name),
            ("UpdateAlias", {**alias, **target, **revision}),
            ("UpdateAlias", {**alias, **one(weights, {"RoutingConfig": {}}, {"Description": "b"})}),
            ("DeleteAlias", alias),
        )

    def access(self):
        name, one = {"FunctionName": self.one(*FUNCTIONS * 4, "missing")}, self.one
        where = {**name, **self.maybe(Qualifier=one(*ALIASES, "1", "$LATEST"))}
        statement = one(
            {"Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE"},
            {"Action": "lambda:InvokeFunction", "Principal": "*", "InvokedViaFunctionUrl": True},
            {"Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com", "SourceAccount": ACCOUNT,
             "SourceArn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/x"},
            {"Action": "lambda:InvokeFunction", "Principal": ACCOUNT},
        )
        sid = {"StatementId": one("s1", "s2", "s3")}
        url = {**name, **self.maybe(Qualifier=one(*ALIASES, *ALIASES, "1", "$LATEST"))}
        settings = {**self.maybe(InvokeMode=one("RESPONSE_STREAM", "BUFFERED")),
                    **self.maybe(Cors={"AllowOrigins": ["*"], "MaxAge": 60})}
        return "lambda", *one(
            ("AddPermission", {**where, **sid, **statement}), ("AddPermission", {**where, **sid, **statement}),
            ("GetPolicy", where), ("RemovePermission", {**where, **sid}),
            ("CreateFunctionUrlConfig", {**url, "AuthType": one("NONE", "AWS_IAM"), **settings}),
            ("GetFunctionUrlConfig", url),
            ("UpdateFunctionUrlConfig", {**url, **settings, **self.maybe(AuthType=one("NONE", "AWS_IAM"))}),
            ("DeleteFunctionUrlConfig", url), ("ListFunctionUrlConfigs", name),
        )

    def calls(self, count):
        yield "iam", "CreateRole", {"RoleName": "r1", "AssumeRolePolicyDocument": TRUST}
        yield create_function("f1", "r1", Publish=True)
        yield "lambda", "PublishVersion", {"FunctionName": "f1"}
        kinds = [self.identity, self.logs, self.function, self.function, self.release, self.release, self.access]
        for _ in range(count - 3 - POLICY_CALLS):
            yield self.one(*kinds)()
        for _ in range(POLICY_CALLS):
            yield self.policies()


def everything(read):
    """What can be read of a cloud's state; `read` makes a call and gives the answer or nothing."""
    for role in ROLES:
        name = {"RoleName": role}
        read("iam", "GetRole", **name)
        for policy in (read("iam", "ListRolePolicies", **name) or {}).get("PolicyNames", []):
            read("iam", "GetRolePolicy", **name, PolicyName=policy)
        read("iam", "ListAttachedRolePolicies", **name)
        read("iam", "ListRoleTags", **name)
    read("iam", "ListPolicies", Scope="Local")
    for policy in OWN:
        read("iam", "GetPolicy", PolicyArn=policy_arn(policy))
        read("iam", "ListPolicyVersions", PolicyArn=policy_arn(policy))
    for group in (read("logs", "DescribeLogGroups") or {}).get("logGroups", []):
        read("logs", "ListTagsForResource", resourceArn=group["logGroupArn"])
    read("lambda", "ListFunctions", FunctionVersion="ALL")
    for function in FUNCTIONS:
        name = {"FunctionName": function}
        for operation in (
            "GetFunction", "ListVersionsByFunction", "ListAliases", "GetFunctionConcurrency", "GetPolicy",
            "GetFunctionUrlConfig",
        ):
            read("lambda", operation, **name)
        for alias in ALIASES:
            read("lambda", "GetAlias", **name, Name=alias)
        for version in VERSIONS:
            read("lambda", "GetFunctionConfiguration", **name, Qualifier=version)
        read("lambda", "ListTags", Resource=function_arn(function))
    read("lambda", "GetAccountSettings")
