# SPDX-License-Identifier: ISC
"""Throwaway X.509 certificates for tests, made by the openssl program."""
import os
import shutil

import proc


def _openssl(*args):
    r = proc.run(["openssl", *args])
    if r.status != 0:
        raise proc.Missing(f"openssl {args[0]} failed: {r.err.strip()[-500:]}")


class Authority:
    """A certificate authority of its own folder. `path` is its certificate."""

    def __init__(self, folder, name="ddlgate test authority"):
        os.makedirs(folder, exist_ok=True)
        self.folder = folder
        self.path, self.key = os.path.join(folder, "ca.crt"), os.path.join(folder, "ca.key")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                 "-nodes", "-days", "3650", "-subj", f"/CN={name}", "-keyout", self.key,
                 "-out", self.path)

    def issue(self, name, alt="DNS:localhost,IP:127.0.0.1", cn="localhost", days=3650,
              usage="serverAuth"):
        """Makes NAME.crt and NAME.key; returns both paths. days < 0: expired."""
        base = os.path.join(self.folder, name)
        with open(base + ".ext", "w") as f:
            f.write((f"subjectAltName={alt}\n" if alt else "")
                    + f"basicConstraints=CA:FALSE\nextendedKeyUsage={usage}\n")
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-subj", f"/CN={cn}", "-keyout", base + ".key", "-out", base + ".csr")
        _openssl("x509", "-req", "-in", base + ".csr", "-CA", self.path, "-CAkey", self.key,
                 "-CAcreateserial", "-days", str(days), "-extfile", base + ".ext",
                 "-out", base + ".crt")
        os.chmod(base + ".key", 0o600)
        return base + ".crt", base + ".key"

    def client(self, user):
        """A client certificate whose common name is the user."""
        return self.issue(f"client-{user}", alt=None, cn=user, usage="clientAuth")

    def revoke(self, crt):
        """A list of revoked certificates with this one in it; returns its path."""
        conf, crl = os.path.join(self.folder, "ca.conf"), os.path.join(self.folder, "ca.crl")
        with open(conf, "w") as f:
            f.write(f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.folder}/index.txt\n"
                    f"crlnumber={self.folder}/crlnumber\ndefault_md=sha256\n"
                    "default_crl_days=30\n")
        for name, text in (("index.txt", ""), ("crlnumber", "01\n")):
            path = os.path.join(self.folder, name)
            if not os.path.exists(path):
                with open(path, "w") as f:
                    f.write(text)
        sign = ["-config", conf, "-cert", self.path, "-keyfile", self.key]
        _openssl("ca", *sign, "-revoke", crt)
        _openssl("ca", *sign, "-gencrl", "-out", crl)
        return crl


def for_server(cluster, crt, key, ca=None, crl=None):
    """Puts certificate and key (and the CA of clients) into a cluster's data folder."""
    owner = os.stat(cluster.data)
    for path, name in ((crt, "server.crt"), (key, "server.key"), (ca, "root.crt"),
                       (crl, "root.crl")):
        if path:
            own = os.path.join(cluster.data, name)
            shutil.copyfile(path, own)
            os.chmod(own, 0o600)
            os.chown(own, owner.st_uid, owner.st_gid)
