// SPDX-License-Identifier: MIT
// Frames [DEVICE [FRAMES]]: lists the devices; reads so many frames of one, and tells what it lost.
// It goes on when the device is unplugged and comes back. FileChannel.map() refuses what is no regular
// file; a read at a position, which is pread, copies what a map would show.
//
// Build: javac -d frames-java Frames.java
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

public final class Frames {
	private static final String[] STATES = { "", "offline", "available", "error", "removed" };

	private final FileChannel file;
	private long frames, lost;

	private Frames(FileChannel file) {
		this.file = file;
	}

	private static ByteBuffer buffer(int size) {
		return ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
	}

	private static void devices() throws IOException {
		try (Stream<Path> folders = Files.list(Path.of("/sys/class/devring")).sorted()) {
			for (Path folder : (Iterable<Path>) folders::iterator) {
				StringBuilder line = new StringBuilder("device");
				for (String name : new String[] { "link", "type", "state" })
					line.append(' ').append(Files.readString(folder.resolve(name)).trim());
				System.out.println(line);
			}
		}
	}

	private void frame(ByteBuffer record) throws IOException {
		ByteBuffer payload = buffer(record.getInt(48));
		int sum = 0;

		lost += record.getLong(32);
		try {
			file.read(payload, record.getLong(16));
		} catch (IOException error) {
			if (!"Stale file handle".equals(error.getMessage()))
				throw error;
			lost++; // Its ring was replaced meanwhile.
			return;
		}
		frames++;
		for (byte value : payload.array())
			sum += value & 0xff;
		System.out.println("frame " + record.getLong(8) + ": " + payload.position() + " bytes, "
				+ record.getLong(32) + " lost, sum " + Integer.toUnsignedString(sum));
	}

	private void read(long wanted) throws IOException {
		ByteBuffer records = buffer(128);

		while (frames < wanted && file.read(records.clear()) > 0) {
			records.flip();
			while (records.hasRemaining()) {
				ByteBuffer record = records.slice().order(ByteOrder.nativeOrder());
				switch (record.getShort(2)) {
				case 1:
					frame(record);
					break;
				case 2:
					System.out.println("ring " + record.getInt(8));
					break;
				case 3:
					System.out.println("state " + STATES[record.getInt(8)]);
					break;
				}
				records.position(records.position() + record.getShort(0));
			}
		}
	}

	public static void main(String[] arguments) throws IOException {
		devices();
		if (arguments.length == 0)
			return;
		try (FileChannel file = FileChannel.open(Path.of(arguments[0]))) {
			Frames reader = new Frames(file);
			reader.read(arguments.length > 1 ? Long.parseLong(arguments[1]) : 60);
			System.out.println(reader.frames + " frames, " + reader.lost + " lost");
		}
	}
}
