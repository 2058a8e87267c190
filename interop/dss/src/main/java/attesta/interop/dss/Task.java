package attesta.interop.dss;

import eu.europa.esig.dss.model.InMemoryDocument;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Map;

/** Task is one object of a job. Bytes are standard base64, times are RFC 3339 in UTC. */
final class Task {
    private final Map<?, ?> members;

    Task(Map<?, ?> members) {
        this.members = members;
    }

    String text(String name) {
        if (members.get(name) instanceof String value) {
            return value;
        }
        throw new IllegalArgumentException("the task lacks the text " + name);
    }

    boolean has(String name) {
        return members.get(name) != null;
    }

    boolean is(String name) {
        return Boolean.TRUE.equals(members.get(name));
    }

    byte[] bytes(String name) {
        return Base64.getDecoder().decode(text(name));
    }

    /** A time, or null where none is given: now. */
    Date time(String name) {
        return has(name) ? Date.from(Instant.parse(text(name))) : null;
    }

    List<Task> tasks(String name) {
        List<Task> all = new ArrayList<>();
        for (Object one : list(name)) {
            all.add(new Task((Map<?, ?>) one));
        }
        return all;
    }

    private List<?> list(String name) {
        return members.get(name) instanceof List<?> list ? list : List.of();
    }

    /** Certificates, the leaf first where they are a chain. */
    List<CertificateToken> certificates(String name) {
        List<CertificateToken> all = new ArrayList<>();
        for (Object one : list(name)) {
            all.add(DSSUtils.loadCertificate(Base64.getDecoder().decode((String) one)));
        }
        return all;
    }

    /** A private key in PKCS #8 of the kind of the certificate's key. */
    PrivateKey key(String name, CertificateToken leaf) throws GeneralSecurityException {
        return KeyFactory.getInstance(leaf.getPublicKey().getAlgorithm())
                .generatePrivate(new PKCS8EncodedKeySpec(bytes(name)));
    }

    /**
     * A verifier that trusts the task's "anchors" for everything, knows its "crls" and asks nobody: no issuers, no
     * revocation and no lists from the network.
     */
    CommonCertificateVerifier verifier() {
        CommonCertificateVerifier verifier = new CommonCertificateVerifier(true);
        CommonTrustedCertificateSource anchors = new CommonTrustedCertificateSource();
        certificates("anchors").forEach(anchors::addCertificate);
        verifier.setTrustedCertSources(anchors);
        verifier.setAIASource(null);
        verifier.setOcspSource(null);
        List<InMemoryDocument> crls = new ArrayList<>();
        for (Object one : list("crls")) {
            crls.add(new InMemoryDocument(Base64.getDecoder().decode((String) one)));
        }
        verifier.setCrlSource(new ExternalResourcesCRLSource(crls.toArray(new InMemoryDocument[0])));
        return verifier;
    }
}
