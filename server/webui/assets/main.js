// What the pages do beyond HTML. Everything works without it, but slower.

import { daysOfReader, filterWhileTyping, searchByKey, sortByClick } from './filters.js';
import { keepCurrent } from './live.js';
import { adopt } from './merge.js';
import { notifyOfAsks } from './notify.js';
import { countPicked } from './pick.js';
import { keepTimes } from './times.js';
import { unfoldInPlace } from './tree.js';

adopt(); // before anything changes the page
keepTimes();
countPicked();
notifyOfAsks();
keepCurrent();
daysOfReader();
filterWhileTyping();
sortByClick();
searchByKey();
unfoldInPlace();
