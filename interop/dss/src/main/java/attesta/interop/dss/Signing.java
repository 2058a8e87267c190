package attesta.interop.dss;

import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.JWSSerializationType;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.enumerations.SignaturePackaging;
import eu.europa.esig.dss.jades.JAdESSignatureParameters;
import eu.europa.esig.dss.jades.JAdESSigningTimeType;
import eu.europa.esig.dss.jades.JAdESTimestampParameters;
import eu.europa.esig.dss.jades.signature.JAdESService;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.InMemoryDocument;
import eu.europa.esig.dss.model.SignatureValue;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.spi.x509.tsp.KeyEntityTSPSource;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.Signature;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Map;

/**
 * Signing seals the text "payload" with "key" and "chain": "b64" and "serialization" (general, flattened) say how it
 * stands in the file, "level" is B, T, LT or LTA, "sigT" claims the time in that header instead of iat, "plainEtsiU"
 * writes what is added later as objects instead of base64url, "contentStamp" stamps the content first, "again" adds a
 * second archive time stamp, "sha256" takes that digest for certificates and stamps instead of the library's choice.
 * The time stamps are made here, with "tsaKey" and "tsaChain".
 */
final class Signing {
    private final Task task;

    Signing(Task task) {
        this.task = task;
    }

    void into(Map<String, Object> result) throws GeneralSecurityException, IOException {
        List<CertificateToken> chain = task.certificates("chain");
        JAdESService service = new JAdESService(task.verifier());
        if (task.has("tsaKey")) {
            service.setTspSource(stamps());
        }
        JAdESSignatureParameters parameters = parameters(chain);
        DSSDocument payload = new InMemoryDocument(task.text("payload").getBytes(StandardCharsets.UTF_8));
        if (task.is("contentStamp")) {
            parameters.setContentTimestamps(List.of(service.getContentTimestamp(payload, parameters)));
        }
        Signature signer = Signature.getInstance(parameters.getSignatureAlgorithm().getJCEId());
        signer.initSign(task.key("key", chain.get(0)));
        signer.update(service.getDataToSign(payload, parameters).getBytes());
        DSSDocument sealed = service.signDocument(
                payload, parameters, new SignatureValue(parameters.getSignatureAlgorithm(), signer.sign()));
        if (task.is("again")) {
            sealed = service.extendDocument(sealed, parameters);
        }
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        sealed.writeTo(file);
        result.put("file", Base64.getEncoder().encodeToString(file.toByteArray()));
    }

    private JAdESSignatureParameters parameters(List<CertificateToken> chain) {
        DigestAlgorithm digest = DigestAlgorithm.forName(task.text("digest"));
        JAdESSignatureParameters parameters = new JAdESSignatureParameters();
        parameters.setSigningCertificate(chain.get(0));
        parameters.setCertificateChain(chain);
        parameters.setDigestAlgorithm(digest);
        parameters.setSignaturePackaging(SignaturePackaging.ENVELOPING);
        parameters.setSignatureLevel(SignatureLevel.valueOf("JAdES_BASELINE_" + task.text("level")));
        parameters.setJwsSerializationType(
                switch (task.text("serialization")) {
                    case "general" -> JWSSerializationType.JSON_SERIALIZATION;
                    case "flattened" -> JWSSerializationType.FLATTENED_JSON_SERIALIZATION;
                    default -> throw new IllegalArgumentException("serialization is general or flattened");
                });
        parameters.setBase64UrlEncodedPayload(task.is("b64"));
        parameters.setBase64UrlEncodedEtsiUComponents(!task.is("plainEtsiU"));
        parameters.setJadesSigningTimeType(task.is("sigT") ? JAdESSigningTimeType.SIG_T : JAdESSigningTimeType.IAT);
        if (task.is("sha256")) {
            parameters.setSigningCertificateDigestMethod(DigestAlgorithm.SHA256);
            parameters.setContentTimestampParameters(new JAdESTimestampParameters(DigestAlgorithm.SHA256));
            parameters.setSignatureTimestampParameters(new JAdESTimestampParameters(DigestAlgorithm.SHA256));
            parameters.setArchiveTimestampParameters(new JAdESTimestampParameters(DigestAlgorithm.SHA256));
        }
        Date at = task.time("at");
        if (at != null) {
            parameters.bLevel().setSigningDate(at);
        }
        return parameters;
    }

    private KeyEntityTSPSource stamps() throws GeneralSecurityException {
        List<CertificateToken> chain = task.certificates("tsaChain");
        KeyEntityTSPSource source = new KeyEntityTSPSource(task.key("tsaKey", chain.get(0)), chain.get(0), chain);
        source.setTsaPolicy("1.3.6.1.4.1.32473.1"); // of the arc for examples (RFC 5612)
        return source;
    }
}
