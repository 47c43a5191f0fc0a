// SPDX-License-Identifier: MIT
// frames [DEVICE [FRAMES]]: lists the devices; reads so many frames of one, and tells what it lost.
// It goes on when the device is unplugged and comes back.
//
// Build: c++ -O2 -o frames-cpp frames.cpp -ldevring
#include <devring/client.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <numeric>
#include <system_error>

// What libdevring returns, or an exception in place of a negative errno.
static int checked(int result)
{
	if (result < 0)
		throw std::system_error(-result, std::generic_category());
	return result;
}

static void list()
{
	devring_device device{};
	const int control = checked(devring_control_open(O_RDONLY));

	while (devring_next_device(control, &device) > 0)
		std::cout << "device " << device.link << ' ' << devring_type_name(device.type) << ' '
			  << devring_state_name(device.state) << std::endl;
	close(control);
}

class Reader {
public:
	explicit Reader(const char *device)
	{
		devring_reader_options options{};
		devring_reader_file *opened;

		options.events = DEVRING_EVENT_STATE | DEVRING_EVENT_GENERATION;
		checked(devring_reader_open(&opened, device, &options));
		file.reset(opened);
	}

	void read(std::uint64_t wanted)
	{
		devring_view view;

		while (counters().delivered < wanted)
			if (!show(checked(devring_reader_next(file.get(), &view, -1)), view))
				return;
	}

	devring_counters counters() const
	{
		devring_counters now;

		devring_reader_counters(file.get(), &now);
		return now;
	}

private:
	struct Close {
		void operator()(devring_reader_file *opened) const { devring_reader_close(opened); }
	};
	std::unique_ptr<devring_reader_file, Close> file;

	bool show(int event, const devring_view &view)
	{
		const auto *bytes = static_cast<const std::uint8_t *>(view.data);
		devring_geometry ring;

		switch (event) {
		case DEVRING_EVENT_STATE:
			std::cout << "state " << devring_state_name(devring_reader_state(file.get(), nullptr)) << std::endl;
			break;
		case DEVRING_EVENT_GENERATION:
			devring_reader_geometry(file.get(), &ring);
			std::cout << "ring " << ring.generation << std::endl;
			break;
		case DEVRING_EVENT_FRAME:
			std::cout << "frame " << view.frame.sequence << ": " << view.bytes << " bytes, "
				  << view.frame.lost << " lost, sum "
				  << std::accumulate(bytes, bytes + view.bytes, std::uint32_t{0}) << std::endl;
			break;
		}
		return event != DEVRING_EVENT_END;
	}
};

int main(int argc, char **argv)
try {
	list();
	if (argc < 2)
		return 0;
	Reader reader(argv[1]);
	reader.read(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 60);
	const auto counters = reader.counters();
	std::cout << counters.delivered << " frames, " << counters.lost << " lost" << std::endl;
} catch (const std::system_error &error) {
	std::cerr << "frames: " << error.what() << std::endl;
	return 1;
}
