import { killedAtRandomMoments } from './tuner-kills';

describe('a tuner', () => killedAtRandomMoments(10, 180_000));
