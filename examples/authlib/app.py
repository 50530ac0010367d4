"""A relying application on Flask and Authlib: `python app.py`, settings from the environment."""

import json
import os
from urllib.parse import urlencode

from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, render_template_string, session, url_for

ISSUER = os.environ.get("ISSUER", "http://localhost:4000")
PORT = int(os.environ.get("PORT", "5001"))
ORIGIN = f"http://localhost:{PORT}"

app = Flask(__name__)
# Signs the application's own session cookie.
app.secret_key = os.environ["SESSION_SECRET"]
oauth = OAuth(app)
oauth.register(
    "issuer",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=f"{ISSUER}/.well-known/openid-configuration",
    # Authlib leaves PKCE out unless it is asked for.
    client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
)

PAGE = """<!doctype html><html lang="en"><title>authlib</title>
{% if claims %}<h1>Signed in as {{ claims.name or claims.sub }}</h1>
<pre id="claims">{{ text }}</pre><a href="/sign-out">Sign out</a>
{% else %}<h1>Not signed in</h1><a href="/sign-in">Sign in</a>{% endif %}</html>"""


@app.get("/")
def home():
    claims = session.get("claims")
    return render_template_string(PAGE, claims=claims, text=json.dumps(claims, indent=2))


@app.get("/sign-in")
def sign_in():
    return oauth.issuer.authorize_redirect(f"{ORIGIN}/callback")


@app.get("/callback")
def callback():
    token = oauth.issuer.authorize_access_token()
    session["claims"] = {**oauth.issuer.userinfo(token=token), **token["userinfo"]}
    session["id_token"] = token["id_token"]
    return redirect(url_for("home"))


@app.get("/sign-out")
def sign_out():
    hint = session.pop("id_token", None)
    session.clear()
    there = oauth.issuer.load_server_metadata()["end_session_endpoint"]
    return redirect(f"{there}?{urlencode({'id_token_hint': hint or '', 'post_logout_redirect_uri': ORIGIN})}")


if __name__ == "__main__":
    print(f"Ready: {ORIGIN}", flush=True)
    app.run(host="127.0.0.1", port=PORT)
