// SPDX-License-Identifier: GPL-2.0-only
/*
 * devring-paths: how many instructions calls take, of devring and of what else programs use.
 *
 * Runs as root in a guest that counts instructions.  Prints one line of JSON a row.
 */
#include "measure.h"

static void measure_channels(const struct channel *channels)
{
	static const unsigned int readers[] = { 1, 4, 16, 64 };

	for (const struct channel *c = channels; c->name; c++) {
		measure_wake(c, "wake");
		for (unsigned int i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
			measure_fan_out(c, "send to sleepers", readers[i]);
	}
}

int main(void)
{
	measure_peers();
	measure_devring();
	measure_loopback();
	measure_channels(peer_channels);
	measure_channels(devring_channels);
	measure_channels(loopback_channels);
	return 0;
}
