import { describe, expect, it } from 'vitest';
import { waitingImages } from '../../../../src/client/job/sending/waiting-images.ts';
import { Hosts } from '../../../../src/client/job/sources/hosts.ts';

const url = (host: string, index = 0) => ({ url: `http://${host}/${index}` });
const file = { path: '/a.jpg', bytes: 1, mtimeMs: 0, id: '1:1' };

/** Hosts with a clock that only the test moves. */
function watched(perHost = 4, hostPatienceMs = 60_000) {
  let nowMs = 1_000_000;
  const hosts = new Hosts({ perHost, hostPatienceMs }, () => nowMs);
  const pass = (ms: number) => {
    nowMs += ms;
  };
  /** How many images of a host may be sent, if none is in flight. */
  const room = (host: string) => {
    let count = 0;
    for (; hosts.maySend(url(host)); count++) hosts.send(url(host));
    for (let at = 0; at < count; at++) hosts.receive(url(host));
    return count;
  };
  return { hosts, pass, room };
}

describe(Hosts, () => {
  it('limits each host separately, and no files', () => {
    const { hosts, room } = watched();
    expect([room('a'), room('b:81')]).toEqual([4, 4]);
    for (let index = 0; index < 100; index++) {
      hosts.begin(file);
      hosts.send(file);
    }
    expect(hosts.mayBegin(file) && hosts.maySend(file)).toBe(true);
  });

  it('sends nothing to a host before the time at which it may get requests again, then less at once', () => {
    const { hosts, pass, room } = watched();
    // Three that were in flight together.
    expect([hosts.pause(url('a'), 7), hosts.pause(url('a'), 7), hosts.pause(url('a'), 5)]).toEqual([
      7000, 7000, 7000,
    ]);
    pass(6_900);
    expect([room('a'), room('b')]).toEqual([0, 4]);
    expect(hosts.mayBegin(url('a'))).toBe(false);
    pass(100);
    expect(room('a')).toBe(2);
    hosts.pause(url('a'), 1);
    pass(1000);
    expect(room('a')).toBe(1);
    hosts.pause(url('a'), 1);
    pass(1000);
    expect(room('a')).toBe(1);
    for (let index = 0; index < 8; index++) hosts.succeed(url('a'));
    expect(room('a')).toBe(3);
    for (let index = 0; index < 8; index++) hosts.succeed(url('a'));
    expect(room('a')).toBe(4);
  });

  it('gives up on a host that has sent no image for too long, until it sends one', () => {
    const { hosts, pass } = watched();
    for (let waited = 0; waited < 60; waited += 20) {
      expect(hosts.pause(url('a'), 20)).toBe(20_000);
      pass(20_000);
    }
    expect(hosts.pause(url('a'), 1)).toBeUndefined();
    expect([hosts.isGivenUp(url('a')), hosts.isGivenUp(url('b'))]).toEqual([true, false]);
    hosts.succeed(url('a'));
    expect(hosts.isGivenUp(url('a'))).toBe(false);
    expect(hosts.pause(url('a'), 1)).toBe(1000);
  });

  it('waits for the whole patience, whatever the fraction of the clock', () => {
    for (let count = 1; count < 1000; count++) {
      const hosts = new Hosts({ perHost: 4, hostPatienceMs: 60_000 }, () => count * Math.PI * 30);
      expect(hosts.pause(url('a'), 60)).toBe(60_000);
    }
  });
});

describe(waitingImages, () => {
  it('skips hosts without room, and keeps the order of each', () => {
    const images = ['a1', 'a2', 'b3', 'a4', 'b5'].map((name) => ({
      source: { url: `http://${name[0]}/${name[1]}` },
      output: name,
    }));
    const closed = new Set(['a']);
    const waiting = waitingImages(images, ({ output }) => !closed.has(output[0] ?? ''));
    const take = () => {
      const image = waiting.peek();
      if (image !== undefined) waiting.take();
      return image?.output;
    };
    expect([take(), take(), take()]).toEqual(['b3', 'b5', undefined]);
    expect(waiting.isEmpty()).toBe(false);
    closed.clear();
    expect([take(), take(), take(), take()]).toEqual(['a1', 'a2', 'a4', undefined]);
    expect(waiting.isEmpty()).toBe(true);
  });
});
