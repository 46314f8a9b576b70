import { builder } from './builder.ts';
import { ViewerType } from './viewer.ts';
import { WalletType } from './wallet.ts';

// Here, since the viewer shows the inbox, and the inbox entries of the wallet.
builder.objectField(ViewerType, 'wallet', (t) =>
  t.field({
    type: WalletType,
    description: "The viewer's money.",
    resolve: (viewer, _args, context) => context.doors.wallets.mine(viewer),
  }),
);
