"""What openapi-python-client makes of the OpenAPI document, without a warning, at work."""
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from given import ANSWER, QUESTION, URL, same

folder = tempfile.mkdtemp()
generator = [Path(sys.executable).with_name("openapi-python-client"), "generate", "--url", f"{URL}/v1/api/openapi.json"]
said = subprocess.run(
    [*generator, "--meta", "none", "--output-path", f"{folder}/caudex_api"],
    capture_output=True,
    text=True,
    env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
)
same(said.returncode, 0)
assert "WARNING" not in said.stdout + said.stderr, said.stdout + said.stderr
sys.path.insert(0, folder)

from caudex_api import AuthenticatedClient, Client, models, types  # noqa: E402
from caudex_api.api.chat import chat_controller_post, chat_controller_resume  # noqa: E402
from caudex_api.api.documents import bulk_controller_store, documents_controller_put  # noqa: E402
from caudex_api.api.projects import projects_controller_create  # noqa: E402
from caudex_api.api.search import search_controller_post  # noqa: E402
from caudex_api.api.session import session_controller_login, session_controller_register  # noqa: E402

person = models.Credentials(email="python@example.org", password="correct horse battery")
nobody = Client(base_url=URL)
session_controller_register.sync_detailed(client=nobody, body=person)
client = AuthenticatedClient(base_url=URL, token=session_controller_login.sync(client=nobody, body=person).token)
project = projects_controller_create.sync(
    client=client, body=models.ProjectsControllerCreateBody(name="From Python")
).project_id


def put(path, content):
    stored = documents_controller_put.sync_detailed(
        project, path, client=client, body=types.File(payload=io.BytesIO(content))
    )
    return stored.status_code


same(put("pears.md", "# Pears\n\nPears ripen in September.".encode()), 201)
archive = io.BytesIO()
with zipfile.ZipFile(archive, "w") as files:
    files.writestr("plums.md", "# Plums\n\nPlums ripen in July.")
archive.seek(0)
part = types.File(payload=archive, file_name="fruit.zip", mime_type="application/zip")
files = models.BulkControllerStoreBody(files=[part])
same(bulk_controller_store.sync(project, client=client, body=files).stored, 1)
question = models.SearchControllerPostBody(project_id=project, query="pears")
found = search_controller_post.sync(client=client, body=question)
same(found.results[0].document, "pears.md")

body = models.ChatControllerPostBody(message=QUESTION, project_id=project)
answer = chat_controller_post.sync(client=client, body=body)
same(answer.response, ANSWER)
streamed = chat_controller_resume.sync_detailed(answer.message_id, client=client)
assert b"text-delta" in streamed.content, streamed.content
