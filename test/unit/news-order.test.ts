import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { NewsOrder } from '../../src/realtime/conversation/news-order.ts';
import {
  decodeNews,
  encodeNews,
  nextEventNo,
  type News,
} from '../../src/realtime/conversation/news.ts';

function news(firstEventNo: number, count = 1): News {
  const base = { conversationId: 7n, membersEventNo: 1, isLarge: false, changeSeq: 0 };
  const item = { kind: 'added' as const, firstSeq: firstEventNo, count };
  const part = { ...base, lastSeq: firstEventNo + count - 1, firstEventNo, items: [item] };
  return { part, atMs: 1, messages: new Map() };
}

function listening(limits = { newsHeldMs: 20, newsHeldMax: 3 }) {
  const told: (number | 'gap')[] = [];
  const order = new NewsOrder({
    onNews: ({ part }) => told.push(part.firstEventNo),
    onGap: () => told.push('gap'),
    limits,
  });
  return { told, order };
}

it('puts news in order, each once', async () => {
  const { told, order } = listening();
  for (const one of [news(5), news(9), news(6, 2), news(5), news(8), news(9), news(10)]) {
    order.offer(one);
  }
  await sleep(40);
  expect(told).toEqual([5, 6, 8, 9, 10]);
});

it('passes over what does not come, and says so once', async () => {
  const { told, order } = listening();
  order.begin(5);
  order.offer(news(6));
  order.offer(news(8));
  await sleep(60);
  order.offer(news(5));
  order.offer(news(9));
  expect(told).toEqual(['gap', 9]);
});

it('holds no more than it may', () => {
  const { told, order } = listening({ newsHeldMs: 10_000, newsHeldMax: 2 });
  order.offer(news(1));
  for (const first of [3, 4, 5]) order.offer(news(first));
  order.offer(news(6));
  expect(told).toEqual([1, 'gap', 6]);
});

it('goes on after what was read elsewhere', () => {
  const { told, order } = listening({ newsHeldMs: 10_000, newsHeldMax: 2 });
  order.begin(1);
  order.offer(news(4));
  order.skipTo(4);
  order.offer(news(2));
  order.stop();
  expect(told).toEqual([4]);
  expect(order.next).toBe(5);
});

it('travels as text, without its messages where these are too long', () => {
  const one = news(3, 2);
  const message = {
    conversationId: 7n,
    seq: 3,
    senderId: 9n,
    clientMessageId: 'a',
    content: { kind: 'TEXT' as const, text: 'two\nlines' },
    createdAtMs: 1,
    editedAtMs: null,
    recalledAtMs: null,
    changeSeq: 0,
    replyToSeq: null,
  };
  const whole = { ...one, messages: new Map([[3, message]]) };
  expect(decodeNews(encodeNews(whole, 10_000))).toEqual(whole);
  expect(decodeNews(encodeNews(whole, 10))).toEqual(one);
  expect(nextEventNo(one)).toBe(5);
});
