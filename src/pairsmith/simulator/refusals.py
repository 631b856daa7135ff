"""How the platforms say no: one function a shape, each with the parameter and its value. presets.py says where.

Shapes follow what the platforms were seen to send (documentation and issue threads, November 2026).
"""

from collections.abc import Callable

from pairsmith.simulator.answers import Reply, json_reply, openai_error

Refusal = Callable[[str, object], Reply]


def unrecognised(name: str, value: object) -> Reply:
    """OpenAI, of a name that the model's API does not have."""
    return openai_error(400, f"Unrecognized request argument supplied: {name}")


def unsupported(name: str, value: object) -> Reply:
    """OpenAI, of a name that other models take."""
    instead = " Use 'max_completion_tokens' instead." if name == "max_tokens" else ""
    return openai_error(
        400,
        f"Unsupported parameter: '{name}' is not supported with this model.{instead}",
        code="unsupported_parameter",
        param=name,
    )


def only_default(name: str, value: object) -> Reply:
    """OpenAI's reasoning models, of a temperature."""
    return openai_error(
        400,
        f"Unsupported value: '{name}' does not support {value} with this model, only 1.",
        code="unsupported_value",
        param=name,
    )


def out_of_range(name: str, value: object) -> Reply:
    """OpenAI, of a number that is too small or too large."""
    return openai_error(400, f"Invalid '{name}': {value} is out of range.", code="decimal_out_of_range", param=name)


def vllm_range(name: str, value: object) -> Reply:
    """The vLLM server, of a temperature."""
    message = f"{name} must be non-negative and at most 2, got {value}."
    return openai_error(400, message, code=400, type_="BadRequestError", param=name)


def template_role(name: str, value: object) -> Reply:
    """What vLLM and SGLang say of a role that the model's chat template raises an exception for."""
    return openai_error(400, "Unexpected message role.", code=400, type_="BadRequestError")


def groq(name: str, value: object) -> Reply:
    """Groq, of a name it does not have (vercel/ai and CherryHQ/cherry-studio 11435 quote it)."""
    instead = ", did you mean 'top_p'?" if name == "top_k" else ""
    return openai_error(400, f"property '{name}' is unsupported{instead}")


def groq_many(name: str, value: object) -> Reply:
    """Groq, of n above 1."""
    return openai_error(400, "'n' : number must be at most 1", param=name)


def mistral(name: str, value: object) -> Reply:
    """Mistral, of a name outside its schema."""
    return _pydantic(["body", name], value, "extra_forbidden", "Extra inputs are not permitted")


def mistral_range(name: str, value: object) -> Reply:
    """Mistral, of a temperature."""
    return _pydantic(["body", name], value, "less_than_equal", "Input should be less than or equal to 1.5")


def mistral_role(name: str, value: object) -> Reply:
    """Mistral, of a role outside its schema."""
    message = f"Input tag '{value}' found using 'role' does not match any of the expected tags"
    return _pydantic(["body", "messages", 0], value, "union_tag_invalid", message)


def _pydantic(loc: list[str | int], value: object, type_: str, msg: str) -> Reply:
    problem = {"type": type_, "loc": loc, "msg": msg, "input": value}
    return json_reply(422, {"object": "error", "message": {"detail": [problem]}, "type": "invalid_request_error"})


def gemini(name: str, value: object) -> Reply:
    """Gemini, of a name it does not have: a list, with Google's own kind of error in it."""
    message = f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
    return json_reply(400, [{"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}])


def anthropic(name: str, value: object) -> Reply:
    """Anthropic, of a temperature or an n above 1."""
    return openai_error(400, f"{name}: Input should be less than or equal to 1", code="invalid_request_error")


def llama_cpp(name: str, value: object) -> Reply:
    """llama-cpp-python, of response_format json_schema (tried in November 2026)."""
    return openai_error(500, "Invalid response_format type: json_schema", type_="internal_server_error")


def fastapi_role(name: str, value: object) -> Reply:
    """llama-cpp-python, of a role outside its schema, in FastAPI's words."""
    problem = {"type": "literal_error", "loc": ["body", "messages", 0, "role"], "msg": f"unknown role {value}"}
    return json_reply(422, {"detail": [problem]})


def transformers(name: str, value: object) -> Reply:
    """`transformers serve`, of a name that OpenAI's API does not have (its serving/utils.py)."""
    return json_reply(422, {"detail": f"Unexpected fields in the request: {{'{name}'}}"})


def server_error(name: str, value: object) -> Reply:
    """`transformers serve`, of whatever raises behind its checks."""
    return json_reply(500, {"detail": "Internal Server Error"})


def json_word(name: str, value: object) -> Reply:
    """OpenAI and Groq, of json_object where no message says so."""
    message = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
    return openai_error(400, message, param="messages")
