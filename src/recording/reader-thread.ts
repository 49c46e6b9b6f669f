/**
 * Where the reader thread starts: io's loop with the scanners of the text formats.
 */
import { openScanner } from '../../parsers/scanners.js';
import { serveReader } from '../io/reader-thread.js';

serveReader(({ format, options }) => openScanner(format, options));
