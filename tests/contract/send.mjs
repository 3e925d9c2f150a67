// Sends one call of each kind with the unmodified client and tells of every delivery failure.
//   node send.mjs <host> <write key>
import { Analytics } from '@segment/analytics-node'

const [host, writeKey] = process.argv.slice(2)
const analytics = new Analytics({ host, writeKey, maxRetries: 1, flushInterval: 100 })
const failures = []
analytics.on('error', (error) => failures.push({ code: error.code, reason: String(error.reason) }))

const anonymousId = 'a-node'
analytics.track({ anonymousId, event: 'Product Viewed', properties: { product_id: '85123A', price: 2.55, currency: 'GBP' } })
analytics.page({ anonymousId, name: 'Home', properties: { path: '/' } })
analytics.screen({ anonymousId, name: 'Start' })
analytics.alias({ userId: 'u-node', previousId: anonymousId })
analytics.identify({ userId: 'u-node', traits: { email: 'ada@example.com', consent: { email: true } } })
analytics.group({ userId: 'u-node', groupId: 'members' })
analytics.track({ userId: 'u-node', event: 'Not A Name Anybody Declared' })
analytics.track({
  userId: 'u-node',
  event: 'Order Completed',
  properties: { order_id: 'o-node', total: 15.3, currency: 'GBP', products: [{ product_id: '85123A', quantity: 6, price: 2.55 }] },
  timestamp: new Date('2024-05-01T12:00:00Z'),
})
await analytics.closeAndFlush({ timeout: 10000 })
console.log(JSON.stringify({ failures }))
process.exit(failures.length ? 1 : 0)
