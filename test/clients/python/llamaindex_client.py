from llama_index.core.llms import ChatMessage
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike
from given import ANSWER, BASE, MODEL, QUESTION, TOKEN, same

llm = OpenAILike(model=MODEL, api_base=BASE, api_key=TOKEN, is_chat_model=True, max_retries=0)
messages = [ChatMessage(role="system", content="Be brief."), ChatMessage(role="user", content=QUESTION)]
same(llm.chat(messages).message.content, ANSWER)
same("".join(part.delta or "" for part in llm.stream_chat(messages)), ANSWER)
same(str(llm.complete(QUESTION)), ANSWER)

embedder = OpenAILikeEmbedding(model_name="caudex", api_base=BASE, api_key=TOKEN)
same(len(embedder.get_text_embedding("pears")), 256)
