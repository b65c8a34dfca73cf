"""CPU of one typed GET in Python, in microseconds: peers.py CLIENT COUNT PORT CA TOKEN UPID. Prints the version, and the time."""
import asyncio, json, resource, ssl, sys
from importlib.metadata import version
from urllib.parse import quote

client, count, port, authority, token, upid = sys.argv[1:]
count, (name, secret) = int(count), token.split("=")
WARM, LANES = 30, 3


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return (usage.ru_utime + usage.ru_stime) * 1e6


def proxmoxer():
    from proxmoxer import ProxmoxAPI

    user, token_name = name.split("!")
    api = ProxmoxAPI("127.0.0.1", port=int(port), user=user, token_name=token_name, token_value=secret, verify_ssl=authority)

    def get():
        assert api.nodes("pve1").tasks(upid).status.get()["pid"] >= 2000

    for _ in range(WARM):
        get()
    start = cpu()
    for _ in range(count):
        get()
    return cpu() - start


async def aiohttp():
    from aiohttp import ClientSession, TCPConnector
    from yarl import URL

    tls = ssl.create_default_context(cafile=authority)
    url = URL(f"https://127.0.0.1:{port}/api2/json/nodes/pve1/tasks/{quote(upid, safe='')}/status", encoded=True)
    headers = {"Authorization": f"PVEAPIToken={token}"}
    async with ClientSession(connector=TCPConnector(ssl=tls, limit=LANES)) as session:

        async def get(times):
            for _ in range(times):
                async with session.get(url, headers=headers) as answer:
                    assert json.loads(await answer.read())["data"]["pid"] >= 2000

        await asyncio.gather(*[get(WARM // LANES) for _ in range(LANES)])
        start = cpu()
        await asyncio.gather(*[get(count // LANES) for _ in range(LANES)])
        return cpu() - start


took = proxmoxer() if client == "proxmoxer" else asyncio.run(aiohttp())
print(json.dumps([version(client), took / count]))
