"""Mail: one message over SMTP, with TLS as the settings say."""

from __future__ import annotations

import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from tms_pipeline.alarms.refused import NotTaken
from tms_pipeline.settings import Settings

_SECONDS = 20


def mail_of(settings: Settings, dedup_key: str, to: str, content: dict[str, Any], made_at: datetime) -> EmailMessage:
    """The mail: the same content makes the same bytes, so that sending it again sends the same mail."""
    mail = EmailMessage()
    mail["From"] = settings.mail_from
    mail["To"] = to
    mail["Subject"] = content["subject"]
    mail["Date"] = format_datetime(made_at)
    domain = settings.mail_from.rpartition("@")[2].strip("> ") or "localhost"
    mail["Message-ID"] = f"<{dedup_key}@{domain}>"
    # RFC 3834: nobody's out-of-office note shall answer.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(content["text"])
    mail.add_alternative(content["html"], subtype="html")
    boundary = f"=_{dedup_key}"
    mail.set_boundary(boundary)
    return mail


def send_mail(settings: Settings, mail: EmailMessage) -> None:
    """Hand the mail to the server. Raises NotTaken, without any address in its words."""
    host, port = settings.smtp_host, settings.smtp_port
    try:
        with _connected(settings, host, port) as server:
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            server.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        code = next(iter(error.recipients.values()))[0] if error.recipients else 0
        raise NotTaken(f"The mail server refused the address (SMTP {code}).", for_good=500 <= code < 600) from None
    except smtplib.SMTPAuthenticationError as error:
        raise NotTaken(
            f"The mail server refused the login (SMTP {error.smtp_code}); correct TMS_SMTP_USER and "
            "TMS_SMTP_PASSWORD.", down=True,
        ) from None  # fmt: skip
    except smtplib.SMTPNotSupportedError:
        raise NotTaken(
            "The mail server offers no STARTTLS or no login; correct TMS_SMTP_PORT and TMS_SMTP_SECURITY.", down=True
        ) from None
    except smtplib.SMTPResponseException as error:
        code = error.smtp_code
        raise NotTaken(f"The mail server did not take it (SMTP {code}).", for_good=550 <= code < 556) from None
    except ssl.SSLError:
        raise NotTaken(
            "The mail server's certificate or TLS cannot be trusted; correct TMS_SMTP_HOST, TMS_SMTP_SECURITY or "
            "TMS_SMTP_CA_FILE.", down=True,
        ) from None  # fmt: skip
    except (OSError, smtplib.SMTPException):
        raise NotTaken(f"The mail server {host}:{port} does not answer.", down=True) from None


def _connected(settings: Settings, host: str, port: int) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=str(settings.smtp_ca_file) if settings.smtp_ca_file else None)
    if settings.smtp_security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=_SECONDS, context=context)
    server = smtplib.SMTP(host, port, timeout=_SECONDS)
    if settings.smtp_security == "starttls":
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server
