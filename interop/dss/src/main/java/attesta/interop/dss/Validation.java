package attesta.interop.dss;

import eu.europa.esig.dss.diagnostic.SignatureWrapper;
import eu.europa.esig.dss.diagnostic.TimestampWrapper;
import eu.europa.esig.dss.jaxb.object.Message;
import eu.europa.esig.dss.model.InMemoryDocument;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Validation judges the "file" of a task by the default policy of the library, at the time "at" or now. A file in which
 * the library sees no signed document at all has no "signatures" and says why in "unrecognised".
 */
final class Validation {
    private final Task task;

    Validation(Task task) {
        this.task = task;
    }

    void into(Map<String, Object> result) {
        SignedDocumentValidator validator;
        Reports reports;
        try {
            validator = SignedDocumentValidator.fromDocument(new InMemoryDocument(task.bytes("file")));
            validator.setCertificateVerifier(task.verifier());
            validator.setValidationTime(task.time("at"));
            reports = validator.validateDocument();
        } catch (RuntimeException e) {
            result.put("signatures", 0);
            result.put("unrecognised", String.valueOf(e.getMessage()));
            return;
        }
        SimpleReport report = reports.getSimpleReport();
        result.put("signatures", report.getSignaturesCount());
        String id = report.getFirstSignatureId();
        if (id == null) {
            return;
        }
        SignatureWrapper signature = reports.getDiagnosticData().getSignatureById(id);
        result.put("level", report.getSignatureFormat(id).toString());
        result.put("indication", report.getIndication(id).name());
        result.put("subIndication", report.getSubIndication(id) == null ? "" : report.getSubIndication(id).name());
        result.put("intact", signature.isSignatureIntact());
        result.put("valid", signature.isSignatureValid());
        result.put("signedBy", String.valueOf(report.getSignedBy(id)));
        result.put("errors", words(report.getAdESValidationErrors(id)));
        result.put("warnings", words(report.getAdESValidationWarnings(id)));
        List<Object> stamps = new ArrayList<>();
        for (TimestampWrapper t : signature.getTimestampList()) {
            Map<String, Object> stamp = new LinkedHashMap<>();
            stamp.put("type", t.getType().name());
            stamp.put("found", t.isMessageImprintDataFound());
            stamp.put("intact", t.isMessageImprintDataIntact());
            stamp.put("indication", report.getIndication(t.getId()).name());
            stamps.add(stamp);
        }
        result.put("stamps", stamps);
    }

    private static List<Object> words(List<Message> messages) {
        List<Object> all = new ArrayList<>();
        for (Message message : messages) {
            all.add(message.getKey() + ": " + message.getValue());
        }
        return all;
    }
}
