import { killedAtRandomMoments } from './tuner-kills';

describe('a tuner that has a bad day', () => killedAtRandomMoments(50, 600_000));
