# SPDX-License-Identifier: Apache-2.0
"""A certificate authority made by the openssl program."""

import hashlib
import ssl
import subprocess


class Authority:
    def __init__(self, directory, name):
        self.directory = directory
        self.directory.mkdir()
        self.certificate = directory / "ca.pem"
        self.key = directory / "ca.key"
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.certificate,
        )

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=self.directory)

    def issue(self, name, *, organisation=None, alternative=None, days=2):
        """Paths of a certificate and its key. Negative `days`: it has expired."""
        file = f"{name}-{organisation}" if organisation else name
        request, key = (self.directory / f"{file}.{end}" for end in ("csr", "key"))
        subject = (f"/O={organisation}" if organisation else "") + f"/CN={name}"
        self._openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", subject,
            "-keyout", key, "-out", request,
        )
        key.chmod(0o600)
        return self.sign(request, file, alternative=alternative, days=days), key

    def sign(self, request, name, *, alternative=None, days=2):
        """The certificate for a request, which keeps nothing of the request but its subject and key."""
        certificate, extensions = (self.directory / f"{name}.{end}" for end in ("pem", "ext"))
        extensions.write_text(f"subjectAltName={alternative}\n" if alternative else "basicConstraints=CA:FALSE\n")
        self._openssl(
            "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
            "-days", days, "-extfile", extensions, "-out", certificate,
        )
        return certificate

    def intermediate(self, directory, name):
        """An authority below this one."""
        made = Authority(directory, name)
        request = directory / "ca.csr"
        self._openssl("req", "-new", "-key", made.key, "-subj", f"/CN={name}", "-out", request)
        extensions = directory / "ca.ext"
        extensions.write_text("basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n")
        self._openssl(
            "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
            "-days", "2", "-extfile", extensions, "-out", made.certificate,
        )
        return made


def fingerprint(certificate):
    """SHA-256 of a PEM file's first certificate, as 64 hex digits."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).hexdigest()
