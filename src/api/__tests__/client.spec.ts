import { describe, expect, it } from 'vitest';
import { clientOf, FakeTransport, json } from '../../models/__tests__/helpers';
import { ApiError, isNotFound, messageOf, ServerMissing } from '../errors';

const answering = (response: () => Response) => {
  const transport = new FakeTransport(response);
  return { transport, client: clientOf(transport) };
};

describe('the client', () => {
  it('copes with fields that are absent', async () => {
    const { client } = answering(() => json({}));
    expect(await client.experiments()).toEqual([]);
    expect(await client.models()).toEqual([]);
    expect(await client.artifacts('r')).toEqual([]);
    await expect(client.run('r')).rejects.toSatisfy(isNotFound);
  });

  it('turns errors of the server into ours', async () => {
    const body = { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'No run x' };
    const { client } = answering(() => json(body, 404));
    const error = await client.run('x').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ApiError);
    expect(messageOf(error)).toBe('No run x');
  });

  it.each([
    ['a page of the Jupyter server', () => new Response('<html>', { status: 404 })],
    ['Jupyter in JSON', () => json({ message: 'Not Found', reason: null }, 404)],
    ['a static host', () => new Response('<html>', { status: 200 })]
  ])('knows that nobody is there from %s', async (_, response) => {
    await expect(answering(response).client.info()).rejects.toBeInstanceOf(
      ServerMissing
    );
  });

  it('tells other failures by their status', async () => {
    const { client } = answering(() => new Response('', { status: 403 }));
    const error = await client.info().catch((e: unknown) => e);
    expect(error).toMatchObject({
      code: 'HTTP_ERROR',
      message: 'HTTP 403',
      status: 403
    });
  });

  it('escapes what goes into an address', async () => {
    const { client, transport } = answering(() => json({}));
    expect(client.artifactUrl('r', 'a b/ü&x.png')).toBe(
      '/base/mltrack/get-artifact?run_id=r&path=a+b%2F%C3%BC%26x.png'
    );
    await client.history('r', 'val/acc&x');
    expect(transport.asked[0].path).toContain('metric_key=val%2Facc%26x');
  });
});
