import java.nio.file.Path;
import org.neo4j.configuration.GraphDatabaseSettings;
import org.neo4j.configuration.connectors.BoltConnector;
import org.neo4j.configuration.helpers.SocketAddress;
import org.neo4j.harness.Neo4jBuilders;

/** Runs Neo4j in the foreground: the port for bolt, the folder for its data, the password of the user neo4j. */
public class Neo4jServer {
  public static void main(String[] args) throws Exception {
    var server =
        Neo4jBuilders.newInProcessBuilder(Path.of(args[1]))
            .withDisabledServer()
            .withConfig(GraphDatabaseSettings.auth_enabled, true)
            .withConfig(BoltConnector.listen_address, new SocketAddress("127.0.0.1", Integer.parseInt(args[0])))
            .build();
    server
        .databaseManagementService()
        .database(GraphDatabaseSettings.SYSTEM_DATABASE_NAME)
        .executeTransactionally("ALTER USER neo4j SET PASSWORD '" + args[2] + "' CHANGE NOT REQUIRED");
    System.out.println("ready " + server.boltURI());
    Thread.currentThread().join();
  }
}
