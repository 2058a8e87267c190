package attesta.interop.dss;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jose4j.json.JsonUtil;
import org.jose4j.lang.JoseException;

/**
 * Judge reads one job as JSON from the standard input, does every task of it in turn and writes one JSON result to the
 * standard output: {@code {"tasks":[...]}} gives {@code {"results":[...]}}, in the same order. A task that cannot be
 * done gives a result with the member "failure"; only a job that cannot be read ends the program.
 */
public final class Judge {
    private Judge() {}

    public static void main(String[] args) throws IOException, JoseException {
        // What a library prints must not stand in the result.
        PrintStream out = System.out;
        System.setOut(System.err);
        String text = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        List<Object> results = new ArrayList<>();
        for (Task task : new Task(JsonUtil.parseJson(text)).tasks("tasks")) {
            results.add(done(task));
        }
        out.write(JsonUtil.toJson(Map.of("results", results)).getBytes(StandardCharsets.UTF_8));
        out.flush();
        if (out.checkError()) {
            System.exit(1);
        }
    }

    private static Map<String, Object> done(Task task) {
        Map<String, Object> result = new LinkedHashMap<>();
        try {
            switch (task.text("kind")) {
                case "validate" -> new Validation(task).into(result);
                case "sign" -> new Signing(task).into(result);
                default -> throw new IllegalArgumentException("unknown kind of task: " + task.text("kind"));
            }
        } catch (Exception e) {
            result.clear();
            result.put("failure", String.valueOf(e));
        }
        return result;
    }
}
