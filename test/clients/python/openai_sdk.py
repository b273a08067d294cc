import openai
from given import ANSWER, BASE, MODEL, QUESTION, TOKEN, same

client = openai.OpenAI(api_key=TOKEN, base_url=BASE, max_retries=0)
messages = [{"role": "user", "content": QUESTION}]

whole = client.chat.completions.create(model=MODEL, messages=messages)
same(whole.choices[0].message.content, ANSWER)
same(whole.choices[0].message.annotations[0].type, "url_citation")

chunks = client.chat.completions.create(model=MODEL, messages=messages, stream=True)
same("".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices), ANSWER)

first = client.responses.create(model=MODEL, input=QUESTION)
same(first.output_text, ANSWER)
with client.responses.stream(model=MODEL, input="And plums?", previous_response_id=first.id) as stream:
    same(stream.get_final_response().output_text, ANSWER)
same(client.responses.retrieve(first.id).output_text, ANSWER)

found = client.embeddings.create(model="caudex", input=["pears", "plums"])
same([len(one.embedding) for one in found.data], [256, 256])

try:
    client.chat.completions.create(model="gpt-4", messages=messages)
    raise AssertionError("an unknown model was taken")
except openai.NotFoundError as error:
    same(error.code, "model_not_found")
