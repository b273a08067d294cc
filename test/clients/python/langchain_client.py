from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from given import ANSWER, BASE, MODEL, QUESTION, TOKEN, same

access = {"base_url": BASE, "api_key": TOKEN, "max_retries": 0}
chat = ChatOpenAI(model=MODEL, **access)
answer = chat.invoke([("system", "Be brief."), ("human", QUESTION)])
same(answer.content, ANSWER)
same(answer.response_metadata["finish_reason"], "stop")
same("".join(part.content for part in chat.stream(QUESTION)), ANSWER)

schema = {"title": "Ripening", "type": "object", "properties": {"month": {"type": "string"}}, "required": ["month"]}
structured = chat.with_structured_output(schema, method="json_schema")
same(structured.invoke(QUESTION), {"month": "September"})

responses = ChatOpenAI(model=MODEL, use_responses_api=True, **access)
same(responses.invoke(QUESTION).text, ANSWER)

# Without this it fetches the table of a tokenizer from elsewhere.
vectors = OpenAIEmbeddings(model="caudex", check_embedding_ctx_length=False, **access).embed_documents(["pears", "plums"])
same([len(vector) for vector in vectors], [256, 256])
