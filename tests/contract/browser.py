"""What a person does in the browser that a login opens: log in and allow the device."""

import os
import sys

import httpx

url = sys.argv[1]
page = httpx.get(url).raise_for_status().text
code = httpx.URL(url).params["user_code"]
assert code in page
form = {
    "user_code": code,
    "email": os.environ["NEXUS_TEST_EMAIL"],
    "password": os.environ["NEXUS_TEST_PASSWORD"],
}
httpx.post(url, data=form).raise_for_status()
