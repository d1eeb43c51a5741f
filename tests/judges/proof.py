"""Short series of calls, each on a function of its own, and what one cloud answers to the last of them."""
from calls import code, create_function
from session import TRUST

ABSENT = "absent"


def outcome(told):
    status, error, _ = told
    return f"{status} {error}" if error else str(status)


def filled(value, name):
    """A proof's arguments, with its own name, a zip and a long text in them."""
    if isinstance(value, dict):
        return {key: filled(item, name) for key, item in value.items()}
    if value == "{zip}":
        return code("another")
    return value.replace("{name}", name).replace("{large}", "x" * 4200) if isinstance(value, str) else value


def proven(session, proof, name):
    """What one cloud answers to the last call of a proof."""
    session.call("iam", "CreateRole", RoleName="proofs", AssumeRolePolicyDocument=TRUST)
    service, operation, arguments = create_function(name, "proofs", Publish=True)
    _, made = session.call(service, operation, **arguments)
    assert made[1] is None, made
    session.call("lambda", "PublishVersion", FunctionName=name)
    for call, arguments in proof["calls"]:
        answer, told = session.call(*call.split("."), **filled(arguments, name))
    if "show" not in proof:
        return outcome(told)
    for key in proof["show"].split("."):
        answer = (answer[int(key)] if key.isdigit() else answer.get(key, ABSENT)) if answer else f"{told}"
    return str(answer)
