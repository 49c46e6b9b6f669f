/**
 * Where the scan thread starts: io's loop with the scanners of the text formats.
 */
import { openScanner } from '../../parsers/scanners.js';
import { serveScan } from '../io/scan.js';

void serveScan(({ format, options }, rooms) => openScanner(format, options, rooms));
