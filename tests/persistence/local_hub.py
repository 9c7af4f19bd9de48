"""A hub that lives in this process: as much of its interface as the client asks for."""

import base64
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class LocalHub:
    """Repositories, each a list of commits; a commit is a dict of files.

    Attributes
    ----------
    repos : dict of str to list of (str, dict)
        The number of each commit, and its files.
    tokens : set of str or None
        Those that came with requests.
    """

    def __init__(self):
        self.repos, self.tokens = {}, set()
        self.branches = {}
        handler = type("Handler", (_Handler,), {"hub": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def find(self, name, revision):
        """Return a commit by its number, or the last one of a branch."""
        commits = self.repos.get(name)
        if commits is None:
            return None
        if revision in ("main", "HEAD"):
            return commits[-1] if commits else ("0" * 40, {})
        return next((c for c in commits if c[0] == revision), None)

    def commit(self, name, lines):
        files = dict(self.find(name, "main")[1])
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        text = repr((len(self.repos[name]), sorted(files.items())))
        number = hashlib.sha1(text.encode()).hexdigest()
        self.repos[name].append((number, files))
        return number


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def _answer(self, value=None, status=200, headers=(), content=None):
        body = json.dumps(value).encode() if content is None else content
        self.send_response(status)
        given = dict(headers)
        for name, text in {"Content-Length": str(len(body)), **given}.items():
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _missing(self, code):
        headers = {"X-Error-Code": code, "X-Error-Message": code}
        self._answer({"error": code}, 404, headers)

    def do_POST(self):
        self.hub.tokens.add(self.headers.get("Authorization"))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        if path == "/api/repos/create":
            asked = json.loads(body)
            name = "/".join(filter(None, (asked.get("organization"), asked["name"])))
            self.hub.repos.setdefault(name, [])
            return self._answer({"url": f"{self.hub.url}/{name}"})
        if path == "/api/validate-yaml":
            return self._answer({"errors": [], "warnings": []})
        found = re.fullmatch(r"/api/models/([^/]+/[^/]+)/(preupload|commit)/(.+)", path)
        if found is None:
            return self._missing("EntryNotFound")
        name, action, _ = found.groups()
        if action == "preupload":
            files = json.loads(body)["files"]
            modes = [
                {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False}
                for f in files
            ]
            return self._answer({"files": modes})
        lines = [json.loads(line) for line in body.decode().splitlines() if line]
        number = self.hub.commit(name, lines)
        url = f"{self.hub.url}/{name}/commit/{number}"
        return self._answer({"commitUrl": url, "commitOid": number, "success": True})

    def do_GET(self):
        self.hub.tokens.add(self.headers.get("Authorization"))
        path = self.path.partition("?")[0]
        found = re.fullmatch(
            r"/api/models/([^/]+/[^/]+)(?:/(revision|tree)/(.+))?", path
        )
        if found:
            name, action, revision = found.groups()
            commit = self.hub.find(name, revision or "main")
            if commit is None:
                known = name in self.hub.repos
                return self._missing("RevisionNotFound" if known else "RepoNotFound")
            files = [
                {"type": "file", "path": p, "size": len(c), "oid": "0" * 40}
                for p, c in commit[1].items()
            ]
            if action == "tree":
                return self._answer(files)
            siblings = [{"rfilename": p} for p in commit[1]]
            facts = {"id": name, "sha": commit[0], "siblings": siblings}
            return self._answer(facts | {"private": False, "tags": [], "downloads": 0})
        found = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        commit = found and self.hub.find(found[1], found[2])
        if not commit or found[3] not in commit[1]:
            return self._missing("EntryNotFound")
        content = commit[1][found[3]]
        etag = hashlib.sha256(content).hexdigest()
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": commit[0]}
        return self._answer(headers=headers, content=content)

    do_HEAD = do_GET
