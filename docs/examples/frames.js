#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// frames.js [DEVICE [FRAMES]]: lists the devices; reads so many frames of one, and tells what it lost.
// It goes on when the device is unplugged and comes back. Nothing but Node.js is needed, and nothing
// blocks its event loop: reads wait in its pool of threads.
'use strict';
const fs = require('fs');
const { open } = require('fs/promises');

const STATES = ['', 'offline', 'available', 'error', 'removed'];

function devices() {
	const top = '/sys/class/devring';
	for (const folder of fs.readdirSync(top).sort()) {
		const value = (name) => fs.readFileSync(`${top}/${folder}/${name}`, 'utf8').trim();
		console.log(`device ${value('link')} ${value('type')} ${value('state')}`);
	}
}

class Reader {
	frames = 0;
	lost = 0n;

	constructor(file) {
		this.file = file;
	}

	async frame(record) {
		const lost = record.readBigUInt64LE(32);
		const payload = Buffer.alloc(record.readUInt32LE(48));
		this.lost += lost;
		try {
			// pread copies what a map would show. Offsets stay below 2^53.
			await this.file.read(payload, 0, payload.length, Number(record.readBigUInt64LE(16)));
		} catch (error) {
			if (error.code !== 'ESTALE')
				throw error;
			this.lost++; // Its ring was replaced meanwhile.
			return;
		}
		this.frames++;
		const sum = payload.reduce((total, byte) => (total + byte) % 2 ** 32, 0);
		console.log(`frame ${record.readBigUInt64LE(8)}: ${payload.length} bytes, ${lost} lost, sum ${sum}`);
	}

	async read(wanted) {
		const buffer = Buffer.alloc(128);
		while (this.frames < wanted) {
			const { bytesRead } = await this.file.read(buffer, 0, 128, null);
			if (bytesRead === 0)
				return;
			for (let at = 0; at < bytesRead; at += buffer.readUInt16LE(at)) {
				const record = buffer.subarray(at);
				switch (record.readUInt16LE(2)) {
				case 1:
					await this.frame(record);
					break;
				case 2:
					console.log(`ring ${record.readUInt32LE(8)}`);
					break;
				case 3:
					console.log(`state ${STATES[record.readUInt32LE(8)]}`);
					break;
				}
			}
		}
	}
}

async function main(device, wanted = 60) {
	devices();
	if (!device)
		return;
	const reader = new Reader(await open(device));
	await reader.read(Number(wanted));
	console.log(`${reader.frames} frames, ${reader.lost} lost`);
	await reader.file.close();
}

main(...process.argv.slice(2)).catch((error) => {
	console.error(`frames: ${error.message}`);
	process.exitCode = 1;
});
