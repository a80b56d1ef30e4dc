import '@lockstep/worker';
