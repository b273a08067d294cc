import litellm
from given import ANSWER, BASE, MODEL, QUESTION, TOKEN, same

litellm.suppress_debug_info = True
access = {"api_base": BASE, "api_key": TOKEN}
messages = [{"role": "user", "content": QUESTION}]

whole = litellm.completion(model=f"openai/{MODEL}", messages=messages, **access)
same(whole.choices[0].message.content, ANSWER)
chunks = litellm.completion(model=f"openai/{MODEL}", messages=messages, stream=True, **access)
same("".join(chunk.choices[0].delta.content or "" for chunk in chunks), ANSWER)
found = litellm.embedding(model="openai/caudex", input=["pears"], encoding_format="float", **access)
same(len(found.data[0]["embedding"]), 256)
try:
    litellm.completion(model="openai/none", messages=messages, num_retries=0, **access)
    raise AssertionError("an unknown model was taken")
except litellm.NotFoundError:
    pass
